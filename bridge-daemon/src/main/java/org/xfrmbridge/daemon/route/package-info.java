/** The real kernel's links, addresses, routes and neighbours over NETLINK_ROUTE: rtnetlink(7), linux/rtnetlink.h. */
package org.xfrmbridge.daemon.route;
