package org.xfrmbridge.offload;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Tcp;

/**
 * Finds frames in a batch that a host may take as one: consecutive segments of a TCP stream, as Linux merges them on
 * receipt (tcp_gro_receive). Link and IP header, mark, acknowledgement, window and options must be equal. Checksums are
 * verified before, since the host will not look at them again. Keeps order: only neighbours are merged. Confined to one
 * thread.
 *
 * <pre>{@code
 * int frames = coalescing.run(batch, i);   // 1: send frame i as it is
 * // else: coalescing.header(), then the payload of each of the frames
 * }</pre>
 */
public final class Coalescing implements SuperFrame {
    static final int MAX_IP_BYTES = 65535;
    static final int IPV4_PLAIN = 0x45;
    /** With two tags. */
    static final int MAX_LINK_BYTES = Ethernet.HEADER_BYTES + 2 * Ethernet.TAG_BYTES;

    private final byte[] header = new byte[MAX_LINK_BYTES + Ipv6.HEADER_BYTES + Tcp.MAX_HEADER_BYTES];
    private final Segment first = new Segment();
    private final Segment next = new Segment();
    private int streamBytes;

    /** Where things are in one frame; offsets from the frame's start. */
    private static final class Segment {
        private PacketBuffer frame;
        private int ip;
        private int tcp;
        private int payload;
        private int payloadBytes;
        private boolean ipv4;

        /** Whether it is a TCP segment with data, and with nothing that makes it special. */
        boolean parse(PacketBuffer candidate) {
            frame = candidate;
            byte[] data = candidate.data;
            int at = candidate.offset;
            if (candidate.length < Ethernet.HEADER_BYTES + Ipv4.HEADER_BYTES + Tcp.HEADER_BYTES) {
                return false;
            }
            ip = Ethernet.headerBytes(data, at, candidate.length);
            if (ip > MAX_LINK_BYTES) {
                return false;
            }
            int type = Ethernet.type(data, at, ip);
            ipv4 = type == Ethernet.TYPE_IPV4;
            if (!(ipv4 ? parseIpv4(data, at + ip) : type == Ethernet.TYPE_IPV6 && parseIpv6(data, at + ip))) {
                return false;
            }
            int header = Tcp.headerBytes(data, at + tcp);
            payload = tcp + header;
            payloadBytes = candidate.length - payload;
            int flags = Bytes.u8(data, at + tcp + Tcp.FLAGS);
            return header >= Tcp.HEADER_BYTES && payloadBytes > 0 && (flags & ~Tcp.PSH) == Tcp.ACK;
        }

        private boolean parseIpv4(byte[] data, int at) {
            tcp = ip + Ipv4.HEADER_BYTES;
            return frame.length >= tcp + Tcp.HEADER_BYTES
                    && Bytes.u8(data, at) == IPV4_PLAIN
                    && Ipv4.protocol(data, at) == Tcp.PROTOCOL
                    && !Ipv4.isFragment(data, at)
                    && Ipv4.totalLength(data, at) == frame.length - ip
                    && Checksum.isIntact(Checksum.add(0, data, at, Ipv4.HEADER_BYTES));
        }

        private boolean parseIpv6(byte[] data, int at) {
            tcp = ip + Ipv6.HEADER_BYTES;
            return frame.length >= tcp + Tcp.HEADER_BYTES
                    && Bytes.u8(data, at) >>> 4 == 6
                    && Bytes.u8(data, at + Ipv6.NEXT_HEADER) == Tcp.PROTOCOL
                    && Ipv6.totalLength(data, at) == frame.length - ip;
        }

        boolean isIntact() {
            int tcpBytes = frame.length - tcp;
            long sum = pseudoHeader(frame.data, frame.offset + ip, ipv4, tcpBytes);
            return Checksum.isIntact(Checksum.add(sum, frame.data, frame.offset + tcp, tcpBytes));
        }

        boolean isPushed() {
            return (frame.data[frame.offset + tcp + Tcp.FLAGS] & Tcp.PSH) != 0;
        }

        int sequence() {
            return Bytes.i32(frame.data, frame.offset + tcp + Tcp.SEQUENCE);
        }
    }

    /**
     * How many frames from an index on make one super-frame, at least 1. If there are several, the accessors describe
     * it; the frames are not changed.
     */
    public int run(PacketBatch batch, int from) {
        if (from + 1 >= batch.size() || !first.parse(batch.get(from)) || first.isPushed()) {
            return 1;
        }
        streamBytes = first.payloadBytes;
        int frames = 1;
        boolean pushed = false;
        for (boolean open = true; open && from + frames < batch.size(); frames++) {
            if (!next.parse(batch.get(from + frames)) || !continues() || !isSafe(frames)) {
                break;
            }
            streamBytes += next.payloadBytes;
            pushed = next.isPushed();
            open = !pushed && next.payloadBytes == first.payloadBytes;
        }
        if (frames > 1) {
            writeHeader(pushed);
        }
        return frames;
    }

    private boolean isSafe(int frames) {
        return (frames > 1 || first.isIntact()) && next.isIntact();
    }

    private boolean continues() {
        return next.ip == first.ip
                && next.payload == first.payload
                && next.ipv4 == first.ipv4
                && next.frame.mark == first.frame.mark
                && next.payloadBytes <= first.payloadBytes
                && next.payload - next.ip + streamBytes + next.payloadBytes <= MAX_IP_BYTES
                && next.sequence() == first.sequence() + streamBytes
                && equal(0, first.ip)
                && (first.ipv4
                        ? continuesIpv4()
                        : equal(first.ip, first.ip + Ipv6.PAYLOAD_LENGTH)
                                && equal(first.ip + Ipv6.NEXT_HEADER, first.tcp))
                && continuesTcp();
    }

    /**
     * Equal but for length, identification and checksum. Identifications do not matter: nobody may have cut these (no
     * fragments).
     */
    private boolean continuesIpv4() {
        int ip = first.ip;
        return equal(ip, ip + Ipv4.TOTAL_LENGTH)
                && equal(ip + Ipv4.FRAGMENT, ip + Ipv4.CHECKSUM)
                && equal(ip + Ipv4.SOURCE, first.tcp);
    }

    /** Equal but for sequence, PSH and checksum. */
    private boolean continuesTcp() {
        int tcp = first.tcp;
        return equal(tcp, tcp + Tcp.SEQUENCE)
                && equal(tcp + Tcp.ACKNOWLEDGEMENT, tcp + Tcp.FLAGS)
                && equal(tcp + Tcp.WINDOW, tcp + Tcp.CHECKSUM)
                && equal(tcp + Tcp.CHECKSUM + 2, first.payload);
    }

    private boolean equal(int from, int to) {
        int a = first.frame.offset;
        int b = next.frame.offset;
        return Arrays.equals(first.frame.data, a + from, a + to, next.frame.data, b + from, b + to);
    }

    private void writeHeader(boolean pushed) {
        System.arraycopy(first.frame.data, first.frame.offset, header, 0, first.payload);
        int ipBytes = first.payload - first.ip + streamBytes;
        int tcpBytes = first.payload - first.tcp + streamBytes;
        if (first.ipv4) {
            Ipv4.finish(header, first.ip, ipBytes);
        } else {
            Ipv6.putTotalLength(header, first.ip, ipBytes);
        }
        if (pushed) {
            header[first.tcp + Tcp.FLAGS] |= Tcp.PSH;
        }
        // Unfinished: the sum of the pseudo header, not complemented.
        long pseudo = pseudoHeader(header, first.ip, first.ipv4, tcpBytes);
        Bytes.putU16(header, first.tcp + Tcp.CHECKSUM, ~Checksum.finish(pseudo) & 0xffff);
    }

    private static long pseudoHeader(byte[] data, int ip, boolean ipv4, int tcpBytes) {
        return pseudoHeader(data, ip, ipv4, Tcp.PROTOCOL, tcpBytes);
    }

    static long pseudoHeader(byte[] data, int ip, boolean ipv4, int protocol, int bytes) {
        long addresses = ipv4
                ? Checksum.add(0, data, ip + Ipv4.SOURCE, 2 * Ipv4.ADDRESS_BYTES)
                : Checksum.add(0, data, ip + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES);
        return addresses + protocol + bytes;
    }

    @Override
    public byte[] header() {
        return header;
    }

    @Override
    public int headerBytes() {
        return first.payload;
    }

    @Override
    public int transportStart() {
        return first.tcp;
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
