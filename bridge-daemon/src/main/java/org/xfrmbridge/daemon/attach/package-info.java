/** Taking the place of an interface, as a bump in the wire, and giving it back. */
package org.xfrmbridge.daemon.attach;
