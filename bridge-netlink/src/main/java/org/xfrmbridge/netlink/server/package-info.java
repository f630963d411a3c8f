/** The kernel's end of NETLINK_XFRM sockets, without the sockets: requests in, answers and events out. */
package org.xfrmbridge.netlink.server;
