package org.xfrmbridge.offload;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;

/**
 * Finds frames in a batch that a kernel may take as one, a super-frame: their headers, with an unfinished checksum,
 * then the payload of each. They have one size, but for the last, which may have less. Link and IP header and mark must
 * be equal. Checksums are verified before, since the kernel will not look at them again. Keeps order: only neighbours
 * are merged. Confined to one thread.
 *
 * <pre>{@code
 * int frames = coalescing.run(batch, i);   // 1: send frame i as it is
 * // else: coalescing.header(), then the payload of each of the frames
 * }</pre>
 */
public abstract sealed class Coalescing permits StreamCoalescing, DatagramCoalescing {
    /** What every kernel cuts: the default of its devices, the link header included. */
    static final int MAX_FRAME_BYTES = 65_535;

    final Segment first = new Segment();
    final Segment next = new Segment();
    private final int protocol;
    private final int leastTransportBytes;
    private final int checksum;
    private final int mostFrames;
    private final int mostFrameBytes;
    private final byte[] header;
    private int payloadBytes;

    /**
     * @param checksum where the transport header has it
     * @param mostFrames that make one
     * @param mostFrameBytes of the super-frame, the link header included
     */
    Coalescing(
            int protocol,
            int leastTransportBytes,
            int mostTransportBytes,
            int checksum,
            int mostFrames,
            int mostFrameBytes) {
        this.protocol = protocol;
        this.leastTransportBytes = leastTransportBytes;
        this.checksum = checksum;
        this.mostFrames = mostFrames;
        this.mostFrameBytes = mostFrameBytes;
        header = new byte[Segment.MAX_LINK_BYTES + Ipv6.HEADER_BYTES + mostTransportBytes];
    }

    /** Length of the transport header; 0 if there is something special about it. */
    abstract int transportBytes(Segment segment);

    /** Whether no other may follow one, whatever its size. */
    abstract boolean isLast(Segment segment);

    /**
     * Whether the transport header of the next one is what a kernel would make of the first's.
     *
     * @param number of the next, from 1 on
     * @param before bytes of payload in front of it
     */
    abstract boolean continuesTransport(int number, int before);

    /** Completes the super-frame's transport header: with its length, or what the last of the frames says. */
    abstract void finish(byte[] header, PacketBuffer last);

    /**
     * How many frames from an index on make one super-frame, at least 1. If there are several, the accessors describe
     * it; the frames are not changed.
     */
    public final int run(PacketBatch batch, int from) {
        if (from + 1 >= batch.size() || !parse(first, batch.get(from)) || isLast(first)) {
            return 1;
        }
        payloadBytes = first.payloadBytes();
        int frames = 1;
        for (boolean open = true; open && frames < mostFrames && from + frames < batch.size(); frames++) {
            if (!parse(next, batch.get(from + frames)) || !continues(frames) || !isSafe(frames)) {
                break;
            }
            payloadBytes += next.payloadBytes();
            open = !isLast(next) && next.payloadBytes() == first.payloadBytes();
        }
        if (frames > 1) {
            writeHeader(batch.get(from + frames - 1));
        }
        return frames;
    }

    private boolean parse(Segment segment, PacketBuffer frame) {
        if (!segment.parse(frame, protocol, leastTransportBytes)) {
            return false;
        }
        int transportBytes = transportBytes(segment);
        segment.payload = segment.transport + transportBytes;
        return transportBytes >= leastTransportBytes && segment.payloadBytes() > 0;
    }

    private boolean isSafe(int frames) {
        return (frames > 1 || isIntact(first)) && isIntact(next);
    }

    /** Whether the checksum of what IP carries is right. */
    boolean isIntact(Segment segment) {
        return segment.isIntact(protocol);
    }

    private boolean continues(int number) {
        return next.ip == first.ip
                && next.payload == first.payload
                && next.ipv4 == first.ipv4
                && next.frame.mark == first.frame.mark
                && next.payloadBytes() <= first.payloadBytes()
                && next.payload + payloadBytes + next.payloadBytes() <= mostFrameBytes
                && equal(0, first.ip)
                && (first.ipv4 ? continuesIpv4() : continuesIpv6())
                && continuesTransport(number, payloadBytes);
    }

    /** Equal but for length, identification and checksum. */
    private boolean continuesIpv4() {
        int ip = first.ip;
        return equal(ip, ip + Ipv4.TOTAL_LENGTH)
                && equal(ip + Ipv4.FRAGMENT, ip + Ipv4.CHECKSUM)
                && equal(ip + Ipv4.SOURCE, first.transport);
    }

    private boolean continuesIpv6() {
        return equal(first.ip, first.ip + Ipv6.PAYLOAD_LENGTH) && equal(first.ip + Ipv6.NEXT_HEADER, first.transport);
    }

    final boolean equal(int from, int to) {
        int a = first.frame.offset;
        int b = next.frame.offset;
        return Arrays.equals(first.frame.data, a + from, a + to, next.frame.data, b + from, b + to);
    }

    private void writeHeader(PacketBuffer last) {
        System.arraycopy(first.frame.data, first.frame.offset, header, 0, first.payload);
        int ipBytes = first.payload - first.ip + payloadBytes;
        int transportBytes = first.payload - first.transport + payloadBytes;
        if (first.ipv4) {
            Ipv4.finish(header, first.ip, ipBytes);
        } else {
            Ipv6.putTotalLength(header, first.ip, ipBytes);
        }
        finish(header, last);
        // Unfinished: the sum of the pseudo header, not complemented.
        long pseudo = Segment.pseudoHeader(header, first.ip, first.ipv4, protocol, transportBytes);
        Bytes.putU16(header, first.transport + checksum, ~Checksum.finish(pseudo) & 0xffff);
    }

    /** All headers; {@link #headerBytes} of it count. */
    public final byte[] header() {
        return header;
    }

    /** Also where the payload begins in each of the frames. */
    public final int headerBytes() {
        return first.payload;
    }

    public final int transportStart() {
        return first.transport;
    }

    /** Where the checksum is, from {@link #transportStart}. */
    public final int checksumOffset() {
        return checksum;
    }

    /** Payload of every frame but the last, which may have less. */
    public final int segmentBytes() {
        return first.payloadBytes();
    }

    public final boolean isIpv4() {
        return first.ipv4;
    }

    /** Of all frames together. */
    final int payloadBytes() {
        return payloadBytes;
    }
}
