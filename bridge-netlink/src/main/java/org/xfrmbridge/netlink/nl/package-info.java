/** Netlink itself, whatever the family: messages in a datagram, attributes, errors (RFC 3549, linux/netlink.h). */
package org.xfrmbridge.netlink.nl;
