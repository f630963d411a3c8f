package org.xfrmbridge.daemon.client;

/** Options of netlink sockets (linux/netlink.h). */
final class NetlinkOptions {
    /** SOL_NETLINK. */
    static final int LEVEL = 270;

    static final int ADD_MEMBERSHIP = 1;
    static final int CAP_ACK = 10;
    static final int EXT_ACK = 11;

    private NetlinkOptions() {}
}
