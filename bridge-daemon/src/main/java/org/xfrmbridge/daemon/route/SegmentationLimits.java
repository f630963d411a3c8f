package org.xfrmbridge.daemon.route;

import org.xfrmbridge.netlink.nl.Attributes;

/**
 * How large a super-frame may be that an interface is to cut: longer ones its kernel cuts before.
 *
 * @param segments of one
 * @param bytes of one, the link header included
 */
public record SegmentationLimits(int segments, int bytes) {
    /** Of old kernels, and of devices that say nothing else. */
    private static final int DEFAULT_BYTES = 65_536;

    private static final int DEFAULT_SEGMENTS = 65_535;

    static SegmentationLimits of(RouteMessage link) {
        Attributes attributes = link.attributes();
        int bytes = attributes.getInt(Link.IFLA_GSO_MAX_SIZE, DEFAULT_BYTES);
        int ipv4Bytes = attributes.getInt(Link.IFLA_GSO_IPV4_MAX_SIZE, bytes);
        // A kernel cuts what is as long as these.
        return new SegmentationLimits(
                attributes.getInt(Link.IFLA_GSO_MAX_SEGS, DEFAULT_SEGMENTS), Math.min(bytes, ipv4Bytes) - 1);
    }
}
