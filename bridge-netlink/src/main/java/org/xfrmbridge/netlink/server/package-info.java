/**
 * The kernel's end of NETLINK_XFRM sockets: requests in, answers and events out. Knows no socket; one thread, the
 * control thread.
 */
package org.xfrmbridge.netlink.server;
