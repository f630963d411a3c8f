/** Packet ports on TAP devices and sockets of this machine. */
package org.xfrmbridge.daemon.port;
