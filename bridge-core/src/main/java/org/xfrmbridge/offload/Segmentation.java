package org.xfrmbridge.offload;

import java.nio.ByteBuffer;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Tcp;

/**
 * Does in software what a network card does for a host that leaves checksums and the cutting of TCP streams to it: the
 * checksum that is not finished yet, and the super-frame of up to 64 KB that becomes segments (Linux's
 * Documentation/networking/segmentation-offloads.rst). Trusts the host's own stack for the offsets, yet bounds them.
 * Any thread.
 */
public final class Segmentation {
    private Segmentation() {}

    /**
     * Finishes a checksum: its field holds the sum of the pseudo header, not complemented; the rest is added from
     * {@code start} on.
     *
     * @param start of the upper-layer header, from the start of the frame
     * @param field of the checksum, from {@code start}
     */
    public static void finishChecksum(PacketBuffer frame, int start, int field) {
        if (start + field + 2 > frame.length) {
            return;
        }
        int at = frame.offset + start;
        int checksum = Checksum.finish(Checksum.add(0, frame.data, at, frame.length - start));
        // To UDP a zero says that there is no checksum; the other zero of ones' complement means the same number.
        Bytes.putU16(frame.data, at + field, checksum == 0 ? 0xffff : checksum);
    }

    /**
     * Cuts a TCP super-frame. Sequence numbers and IPv4 identifications count on; FIN and PSH go to the last segment,
     * CWR to the first.
     *
     * @param source holds the super-frame from {@code from} to its limit
     * @param tcpStart of the TCP header, from the start of the frame
     * @param segmentBytes of payload per segment, at most
     * @return whether it was one; a frame whose lengths contradict each other is dropped
     */
    public static boolean cut(
            ByteBuffer source, int from, int tcpStart, int segmentBytes, PacketPool pool, PacketBatch into) {
        int frameBytes = source.limit() - from;
        if (segmentBytes <= 0 || tcpStart + Tcp.HEADER_BYTES > frameBytes) {
            return false;
        }
        int headerBytes = tcpStart + ((source.get(from + tcpStart + Tcp.DATA_OFFSET) & 0xf0) >>> 2);
        int payloadBytes = frameBytes - headerBytes;
        if (headerBytes < tcpStart + Tcp.HEADER_BYTES || payloadBytes < 0) {
            return false;
        }
        int done = 0;
        int number = 0;
        do {
            int bytes = Math.min(segmentBytes, payloadBytes - done);
            PacketBuffer segment = pool.take();
            segment.length = headerBytes + bytes;
            segment.ensureCapacity(segment.length);
            source.get(from, segment.data, segment.offset, headerBytes);
            source.get(from + headerBytes + done, segment.data, segment.offset + headerBytes, bytes);
            if (!finish(segment, tcpStart, number, done, done + bytes == payloadBytes)) {
                pool.give(segment);
                return false;
            }
            into.add(segment);
            done += bytes;
            number++;
        } while (done < payloadBytes);
        return true;
    }

    private static boolean finish(PacketBuffer segment, int tcpStart, int number, int streamOffset, boolean last) {
        byte[] data = segment.data;
        int tcp = segment.offset + tcpStart;
        Bytes.putI32(data, tcp + Tcp.SEQUENCE, Bytes.i32(data, tcp + Tcp.SEQUENCE) + streamOffset);
        int flags = Bytes.u8(data, tcp + Tcp.FLAGS);
        if (number > 0) {
            flags &= ~Tcp.CWR;
        }
        if (!last) {
            flags &= ~(Tcp.FIN | Tcp.PSH);
        }
        Bytes.putU8(data, tcp + Tcp.FLAGS, flags);
        int linkBytes = Ethernet.headerBytes(data, segment.offset, segment.length);
        int ip = segment.offset + linkBytes;
        int ipBytes = segment.length - linkBytes;
        int tcpBytes = segment.length - tcpStart;
        long pseudo;
        switch (Ethernet.type(data, segment.offset, linkBytes)) {
            case Ethernet.TYPE_IPV4 -> {
                Bytes.putU16(data, ip + Ipv4.ID, Bytes.u16(data, ip + Ipv4.ID) + number);
                Ipv4.finish(data, ip, ipBytes);
                pseudo = Checksum.add(0, data, ip + Ipv4.SOURCE, 2 * Ipv4.ADDRESS_BYTES);
            }
            case Ethernet.TYPE_IPV6 -> {
                Ipv6.putTotalLength(data, ip, ipBytes);
                pseudo = Checksum.add(0, data, ip + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES);
            }
            default -> {
                return false;
            }
        }
        Bytes.putU16(data, tcp + Tcp.CHECKSUM, 0);
        long sum = Checksum.add(pseudo + Tcp.PROTOCOL + tcpBytes, data, tcp, tcpBytes);
        Bytes.putU16(data, tcp + Tcp.CHECKSUM, Checksum.finish(sum));
        return true;
    }
}
