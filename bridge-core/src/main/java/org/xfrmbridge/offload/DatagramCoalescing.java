package org.xfrmbridge.offload;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Finds frames in a batch that a host may take as one: neighbours of one UDP flow and of one size, but for the last,
 * which may be shorter. The host cuts them again for who reads them, so that datagrams stay what they are, and merged
 * ones have passed its rules as one. Link and IP header and mark must be equal, and checksums right, as
 * {@link Coalescing} has it. An identification counts up, or nobody may cut the datagram. Confined to one thread.
 */
public final class DatagramCoalescing implements SuperFrame {
    /** What every kernel cuts. */
    private static final int MAX_DATAGRAMS = 64;

    private final byte[] header = new byte[Coalescing.MAX_LINK_BYTES + Ipv6.HEADER_BYTES + Udp.HEADER_BYTES];
    private final Datagram first = new Datagram();
    private final Datagram next = new Datagram();

    /** Where things are in one frame; offsets from the frame's start. */
    private static final class Datagram {
        private PacketBuffer frame;
        private int ip;
        private int udp;
        private int payloadBytes;
        private boolean ipv4;

        /** Whether it is a whole datagram with data and a checksum. */
        boolean parse(PacketBuffer candidate) {
            frame = candidate;
            byte[] data = candidate.data;
            int at = candidate.offset;
            if (candidate.length < Ethernet.HEADER_BYTES + Ipv4.HEADER_BYTES + Udp.HEADER_BYTES) {
                return false;
            }
            ip = Ethernet.headerBytes(data, at, candidate.length);
            if (ip > Coalescing.MAX_LINK_BYTES) {
                return false;
            }
            int type = Ethernet.type(data, at, ip);
            ipv4 = type == Ethernet.TYPE_IPV4;
            udp = ip + (ipv4 ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES);
            payloadBytes = candidate.length - udp - Udp.HEADER_BYTES;
            return payloadBytes > 0
                    && (ipv4 ? isPlainIpv4(data, at + ip) : type == Ethernet.TYPE_IPV6 && isPlainIpv6(data, at + ip))
                    && Bytes.u16(data, at + udp + Udp.LENGTH) == Udp.HEADER_BYTES + payloadBytes
                    && Bytes.u16(data, at + udp + Udp.CHECKSUM) != 0;
        }

        private boolean isPlainIpv4(byte[] data, int at) {
            return Bytes.u8(data, at) == Coalescing.IPV4_PLAIN
                    && Ipv4.protocol(data, at) == IpProtocol.UDP
                    && !Ipv4.isFragment(data, at)
                    && Ipv4.totalLength(data, at) == frame.length - ip
                    && Checksum.isIntact(Checksum.add(0, data, at, Ipv4.HEADER_BYTES));
        }

        private boolean isPlainIpv6(byte[] data, int at) {
            return Bytes.u8(data, at) >>> 4 == 6
                    && Bytes.u8(data, at + Ipv6.NEXT_HEADER) == IpProtocol.UDP
                    && Ipv6.totalLength(data, at) == frame.length - ip;
        }

        boolean isIntact() {
            int udpBytes = frame.length - udp;
            long sum = Coalescing.pseudoHeader(frame.data, frame.offset + ip, ipv4, IpProtocol.UDP, udpBytes);
            return Checksum.isIntact(Checksum.add(sum, frame.data, frame.offset + udp, udpBytes));
        }

        int identification() {
            return Bytes.u16(frame.data, frame.offset + ip + Ipv4.ID);
        }
    }

    /**
     * How many frames from an index on make one super-frame, at least 1. If there are several, the accessors describe
     * it; the frames are not changed.
     */
    public int run(PacketBatch batch, int from) {
        if (from + 1 >= batch.size() || !first.parse(batch.get(from))) {
            return 1;
        }
        int bytes = first.payloadBytes;
        int frames = 1;
        for (boolean open = true; open && frames < MAX_DATAGRAMS && from + frames < batch.size(); frames++) {
            if (!next.parse(batch.get(from + frames)) || !continues(frames, bytes) || !isSafe(frames)) {
                break;
            }
            bytes += next.payloadBytes;
            open = next.payloadBytes == first.payloadBytes;
        }
        if (frames > 1) {
            writeHeader(bytes);
        }
        return frames;
    }

    private boolean isSafe(int frames) {
        return (frames > 1 || first.isIntact()) && next.isIntact();
    }

    private boolean continues(int frames, int bytes) {
        return next.ip == first.ip
                && next.ipv4 == first.ipv4
                && next.frame.mark == first.frame.mark
                && next.payloadBytes <= first.payloadBytes
                && headerBytes() - first.ip + bytes + next.payloadBytes <= Coalescing.MAX_IP_BYTES
                && equal(0, first.ip)
                && equal(first.udp, first.udp + Udp.LENGTH)
                && (first.ipv4
                        ? continuesIpv4(frames)
                        : equal(first.ip, first.ip + Ipv6.PAYLOAD_LENGTH)
                                && equal(first.ip + Ipv6.NEXT_HEADER, first.udp));
    }

    private boolean continuesIpv4(int frames) {
        int ip = first.ip;
        return equal(ip, ip + Ipv4.TOTAL_LENGTH)
                && equal(ip + Ipv4.FRAGMENT, ip + Ipv4.CHECKSUM)
                && equal(ip + Ipv4.SOURCE, first.udp)
                && (Ipv4.dontFragment(first.frame.data, first.frame.offset + ip)
                        || next.identification() == (first.identification() + frames & 0xffff));
    }

    private boolean equal(int from, int to) {
        int a = first.frame.offset;
        int b = next.frame.offset;
        return Arrays.equals(first.frame.data, a + from, a + to, next.frame.data, b + from, b + to);
    }

    private void writeHeader(int bytes) {
        System.arraycopy(first.frame.data, first.frame.offset, header, 0, headerBytes());
        int udpBytes = Udp.HEADER_BYTES + bytes;
        int ipBytes = first.udp - first.ip + udpBytes;
        if (first.ipv4) {
            Ipv4.finish(header, first.ip, ipBytes);
        } else {
            Ipv6.putTotalLength(header, first.ip, ipBytes);
        }
        Bytes.putU16(header, first.udp + Udp.LENGTH, udpBytes);
        // Unfinished: the sum of the pseudo header, not complemented.
        long pseudo = Coalescing.pseudoHeader(header, first.ip, first.ipv4, IpProtocol.UDP, udpBytes);
        Bytes.putU16(header, first.udp + Udp.CHECKSUM, ~Checksum.finish(pseudo) & 0xffff);
    }

    @Override
    public byte[] header() {
        return header;
    }

    @Override
    public int headerBytes() {
        return first.udp + Udp.HEADER_BYTES;
    }

    @Override
    public int transportStart() {
        return first.udp;
    }

    @Override
    public int segmentBytes() {
        return first.payloadBytes;
    }

    @Override
    public boolean isIpv4() {
        return first.ipv4;
    }
}
