package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * A packet that arrives in pieces. Its data is put where it belongs as it comes, with room in front for the first
 * fragment's headers; which parts are there is a sorted list of ranges. Reused.
 */
final class FragmentQueue {
    enum Outcome {
        INCOMPLETE,
        COMPLETE,
        /** Overlapping, contradictory or too long: to be forgotten. */
        REFUSED
    }

    private static final int MAX_RANGES = 64;
    private static final int MAX_DATA_BYTES = 65535;
    /** Room for a link header and the longest unfragmentable part that is taken. */
    private static final int MAX_HEADER_BYTES = 288;

    private final PacketPool pool;
    private final byte[] header = new byte[MAX_HEADER_BYTES];
    private final int[] starts = new int[MAX_RANGES];
    private final int[] ends = new int[MAX_RANGES];

    private PacketBuffer buffer;
    private int ranges;
    private int headerBytes;
    private int linkBytes;
    private int protocolIndex;
    private int totalBytes;
    private int largestFragment;
    private long startedNs;

    private int family;
    private int protocol;
    private int id;
    private long saddrHigh;
    private long saddrLow;
    private long daddrHigh;
    private long daddrLow;
    private final SecPath path = new SecPath();

    FragmentQueue(PacketPool pool) {
        this.pool = pool;
    }

    void start(IpPacket fragment, SecPath from, long nowNs) {
        buffer = pool.take();
        ranges = 0;
        headerBytes = 0;
        totalBytes = -1;
        largestFragment = 0;
        startedNs = nowNs;
        path.copyFrom(from);
        family = fragment.family;
        protocol = protocolOf(fragment);
        id = idOf(fragment);
        saddrHigh = sourceHigh(fragment);
        saddrLow = sourceLow(fragment);
        daddrHigh = destinationHigh(fragment);
        daddrLow = destinationLow(fragment);
    }

    boolean isOf(IpPacket fragment, SecPath from) {
        return family == fragment.family
                && id == idOf(fragment)
                && protocol == protocolOf(fragment)
                && saddrHigh == sourceHigh(fragment)
                && saddrLow == sourceLow(fragment)
                && daddrHigh == destinationHigh(fragment)
                && daddrLow == destinationLow(fragment)
                && path.isLike(from);
    }

    long startedNs() {
        return startedNs;
    }

    int largestFragment() {
        return largestFragment;
    }

    Outcome add(IpPacket fragment) {
        int dataAt = fragment.isIpv4() ? fragment.payload : fragment.fragmentHeaderAt + Ipv6.FRAGMENT_HEADER_BYTES;
        int bytes = fragment.end() - dataAt;
        int start = fragment.fragmentStart;
        int end = start + bytes;
        if (isThere(start, end)) {
            return Outcome.INCOMPLETE;
        }
        boolean ragged = fragment.moreFragments && (bytes & 7) != 0;
        if (bytes <= 0 || ragged || end > MAX_DATA_BYTES || !agreesOnEnd(fragment, end) || !insert(start, end)) {
            return Outcome.REFUSED;
        }
        largestFragment = Math.max(largestFragment, fragment.length);
        buffer.ensureCapacity(MAX_HEADER_BYTES + end);
        System.arraycopy(fragment.data(), dataAt, buffer.data, dataOffset() + start, bytes);
        if (start == 0 && !keepHeader(fragment)) {
            return Outcome.REFUSED;
        }
        return ranges == 1 && headerBytes > 0 && ends[0] == totalBytes ? Outcome.COMPLETE : Outcome.INCOMPLETE;
    }

    private boolean agreesOnEnd(IpPacket fragment, int end) {
        if (fragment.moreFragments) {
            return totalBytes < 0 || end <= totalBytes;
        }
        boolean agrees = (totalBytes < 0 || totalBytes == end) && (ranges == 0 || ends[ranges - 1] <= end);
        totalBytes = end;
        return agrees;
    }

    /** A repeated fragment does no harm; the kernel ignores it too. */
    private boolean isThere(int start, int end) {
        for (int i = 0; i < ranges; i++) {
            if (starts[i] <= start && end <= ends[i]) {
                return true;
            }
        }
        return false;
    }

    /** Adds a range, joined with its neighbours; false if it overlaps one, or there are too many holes. */
    private boolean insert(int start, int end) {
        int at = 0;
        while (at < ranges && ends[at] < start) {
            at++;
        }
        boolean joinsLeft = at < ranges && ends[at] == start;
        int right = joinsLeft ? at + 1 : at;
        if (right < ranges && starts[right] < end) {
            return false;
        }
        boolean joinsRight = right < ranges && starts[right] == end;
        if (joinsLeft && joinsRight) {
            ends[at] = ends[right];
            close(right);
        } else if (joinsLeft) {
            ends[at] = end;
        } else if (joinsRight) {
            starts[right] = start;
        } else {
            return open(at, start, end);
        }
        return true;
    }

    private boolean open(int at, int start, int end) {
        if (ranges == MAX_RANGES) {
            return false;
        }
        System.arraycopy(starts, at, starts, at + 1, ranges - at);
        System.arraycopy(ends, at, ends, at + 1, ranges - at);
        starts[at] = start;
        ends[at] = end;
        ranges++;
        return true;
    }

    private void close(int at) {
        ranges--;
        System.arraycopy(starts, at + 1, starts, at, ranges - at);
        System.arraycopy(ends, at + 1, ends, at, ranges - at);
    }

    /** Link header and unfragmentable part of the first fragment, whose mark, interface and origin the packet has. */
    private boolean keepHeader(IpPacket first) {
        int from = first.offset - first.linkBytes;
        int to = first.isIpv4() ? first.payload : first.fragmentHeaderAt;
        if (to - from > MAX_HEADER_BYTES - Ethernet.MAX_HEADER_BYTES) {
            return false;
        }
        first.keepLink();
        first.copyLink(header);
        System.arraycopy(first.data(), first.offset, header, first.linkBytes, to - first.offset);
        buffer.mark = first.buffer.mark;
        buffer.ifindex = first.buffer.ifindex;
        buffer.origin = first.buffer.origin;
        headerBytes = to - from;
        linkBytes = first.linkBytes;
        protocolIndex = (first.isIpv4() ? first.protocolAt : first.fragmentNamedAt) - from;
        return true;
    }

    /** The frame with the whole packet; the caller's now. */
    PacketBuffer finish() {
        PacketBuffer whole = buffer;
        buffer = null;
        whole.offset = PacketBuffer.HEADROOM + MAX_HEADER_BYTES - headerBytes;
        whole.length = headerBytes + totalBytes;
        System.arraycopy(header, 0, whole.data, whole.offset, headerBytes);
        int ip = whole.offset + linkBytes;
        whole.data[whole.offset + protocolIndex] = (byte) protocol;
        if (whole.length - linkBytes > (family == AddressFamily.INET ? Ipv4.MAX_PACKET_BYTES : Ipv6.MAX_PACKET_BYTES)) {
            pool.give(whole);
            return null;
        }
        if (family == AddressFamily.INET) {
            Ethernet.putType(whole.data, whole.offset, linkBytes, Ethernet.TYPE_IPV4);
            Bytes.putU16(whole.data, ip + Ipv4.FRAGMENT, 0);
            Ipv4.finish(whole.data, ip, whole.length - linkBytes);
        } else {
            Ethernet.putType(whole.data, whole.offset, linkBytes, Ethernet.TYPE_IPV6);
            Ipv6.putTotalLength(whole.data, ip, whole.length - linkBytes);
        }
        return whole;
    }

    void release() {
        if (buffer != null) {
            pool.give(buffer);
            buffer = null;
        }
        path.clear();
    }

    private static int dataOffset() {
        return PacketBuffer.HEADROOM + MAX_HEADER_BYTES;
    }

    private static int idOf(IpPacket p) {
        return p.isIpv4()
                ? Bytes.u16(p.data(), p.offset + Ipv4.ID)
                : Bytes.i32(p.data(), p.fragmentHeaderAt + Ipv6.FRAGMENT_ID);
    }

    /** IPv6: what the fragment header names, be it an extension header. */
    private static int protocolOf(IpPacket p) {
        return p.isIpv4() ? p.protocol : Bytes.u8(p.data(), p.fragmentHeaderAt);
    }

    private static long sourceHigh(IpPacket p) {
        return p.isIpv4() ? Bytes.i32(p.data(), p.offset + Ipv4.SOURCE) : Bytes.i64(p.data(), p.offset + Ipv6.SOURCE);
    }

    private static long sourceLow(IpPacket p) {
        return p.isIpv4() ? 0 : Bytes.i64(p.data(), p.offset + Ipv6.SOURCE + 8);
    }

    private static long destinationHigh(IpPacket p) {
        return p.isIpv4()
                ? Bytes.i32(p.data(), p.offset + Ipv4.DESTINATION)
                : Bytes.i64(p.data(), p.offset + Ipv6.DESTINATION);
    }

    private static long destinationLow(IpPacket p) {
        return p.isIpv4() ? 0 : Bytes.i64(p.data(), p.offset + Ipv6.DESTINATION + 8);
    }
}
