/** Putting the bridge into the wire in front of an interface, and taking it out again. */
package org.xfrmbridge.daemon.attach;
