/** The one clock, and timers. */
package org.xfrmbridge.time;
