package org.xfrmbridge.daemon.port;

/** {@code struct virtio_net_hdr}, linux/virtio_net.h: offsets and values; numbers in native order. */
final class VirtioHeader {
    static final int FLAGS = 0;
    static final int GSO_TYPE = 1;
    static final int HEADER_LENGTH = 2;
    static final int GSO_SIZE = 4;
    static final int CHECKSUM_START = 6;
    static final int CHECKSUM_OFFSET = 8;

    static final int NEEDS_CHECKSUM = 1;
    static final byte GSO_NONE = 0;
    static final byte GSO_TCPV4 = 1;
    static final byte GSO_TCPV6 = 4;
    static final byte GSO_UDP_L4 = 5;

    private VirtioHeader() {}
}
