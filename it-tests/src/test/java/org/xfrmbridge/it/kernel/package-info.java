/** A bridge and a real Linux kernel as the two ends of an SA. */
package org.xfrmbridge.it.kernel;
