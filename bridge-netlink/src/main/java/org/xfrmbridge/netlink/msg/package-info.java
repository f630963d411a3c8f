/** The structures of linux/xfrm.h as they stand in messages, for 64-bit Linux: one record each, and their numbers. */
package org.xfrmbridge.netlink.msg;
