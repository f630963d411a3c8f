/** Packet ports on devices of this machine. */
package org.xfrmbridge.daemon.port;
