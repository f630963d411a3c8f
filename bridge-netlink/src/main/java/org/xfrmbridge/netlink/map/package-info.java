/** Between the structures of messages and the core's values. Decides nothing but what a number means. */
package org.xfrmbridge.netlink.map;
