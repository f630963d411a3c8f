/** ESP transforms, algorithms, replay windows. */
package org.xfrmbridge.esp;
