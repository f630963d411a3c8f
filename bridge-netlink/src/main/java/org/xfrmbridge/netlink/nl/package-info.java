/**
 * Netlink itself, whatever the family: messages in a datagram, attributes, errors (RFC 3549, linux/netlink.h). Nothing
 * here knows XFRM or a socket; clients and servers of any netlink protocol can use it.
 */
package org.xfrmbridge.netlink.nl;
