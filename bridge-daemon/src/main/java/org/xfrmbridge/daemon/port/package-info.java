/** Packet ports on TAP devices of this machine. */
package org.xfrmbridge.daemon.port;
