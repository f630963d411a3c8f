/** NETLINK_XFRM for Java programs, over the kernel's socket or a bridge's, which bridge-daemon opens. */
package org.xfrmbridge.netlink.client;
