/**
 * NETLINK_XFRM for Java programs, over the kernel's socket or a bridge's. Whoever has sockets gives
 * {@link org.xfrmbridge.netlink.client.XfrmClient} a {@link org.xfrmbridge.netlink.client.NetlinkConnection};
 * bridge-daemon does.
 */
package org.xfrmbridge.netlink.client;
