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
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Does in software what a network card does for a host that leaves checksums and cutting to it: the checksum that is
 * not finished yet, and the super-frame of up to 64 KB that becomes segments or datagrams (Linux's
 * Documentation/networking/segmentation-offloads.rst). Trusts the host's own stack for the offsets, yet bounds them.
 * Any thread.
 */
public final class Segmentation {
    /** Where a transport header may begin at the earliest. */
    private static final int LEAST_START = Ethernet.HEADER_BYTES + Ipv4.HEADER_BYTES;

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
        // To all but UDP both zeros are the same number.
        Bytes.putU16(frame.data, at + field, Udp.present(checksum));
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
    public static boolean cutStream(
            ByteBuffer source, int from, int tcpStart, int segmentBytes, PacketPool pool, PacketBatch into) {
        if (tcpStart < LEAST_START || tcpStart + Tcp.HEADER_BYTES > source.limit() - from) {
            return false;
        }
        int tcpBytes = (source.get(from + tcpStart + Tcp.DATA_OFFSET) & 0xf0) >>> 2;
        return tcpBytes >= Tcp.HEADER_BYTES
                && cut(source, from, tcpStart, tcpBytes, segmentBytes, pool, into, Segmentation::finishTcp);
    }

    /**
     * Cuts a super-frame of datagrams of one UDP flow. IPv4 identifications count on, and each has a checksum, as when
     * a kernel cuts.
     *
     * @param source holds the super-frame from {@code from} to its limit
     * @param udpStart of the UDP header, from the start of the frame
     * @param datagramBytes of payload of each but the last, which may have less
     * @return whether it was one; a frame whose lengths contradict each other is dropped
     */
    public static boolean cutDatagrams(
            ByteBuffer source, int from, int udpStart, int datagramBytes, PacketPool pool, PacketBatch into) {
        return udpStart >= LEAST_START
                && cut(source, from, udpStart, Udp.HEADER_BYTES, datagramBytes, pool, into, Segmentation::finishUdp);
    }

    /** Completes the transport header of one of the pieces. */
    private interface Finish {
        /**
         * @param pseudo sum of the pseudo header
         * @param number of the piece, from 0 on
         * @param done bytes of payload before it
         * @param last whether none follows
         */
        void transport(byte[] data, int at, int bytes, long pseudo, int number, int done, boolean last);
    }

    private static boolean cut(
            ByteBuffer source,
            int from,
            int start,
            int transportBytes,
            int pieceBytes,
            PacketPool pool,
            PacketBatch into,
            Finish finish) {
        int headerBytes = start + transportBytes;
        int payloadBytes = source.limit() - from - headerBytes;
        if (pieceBytes <= 0 || payloadBytes < 0) {
            return false;
        }
        int done = 0;
        int number = 0;
        do {
            int bytes = Math.min(pieceBytes, payloadBytes - done);
            PacketBuffer piece = pool.take();
            piece.length = headerBytes + bytes;
            piece.ensureCapacity(piece.length);
            source.get(from, piece.data, piece.offset, headerBytes);
            source.get(from + headerBytes + done, piece.data, piece.offset + headerBytes, bytes);
            long pseudo = finishIp(piece, start, number);
            if (pseudo < 0) {
                pool.give(piece);
                return false;
            }
            boolean last = done + bytes == payloadBytes;
            finish.transport(piece.data, piece.offset + start, transportBytes + bytes, pseudo, number, done, last);
            into.add(piece);
            done += bytes;
            number++;
        } while (done < payloadBytes);
        return true;
    }

    /** Returns the sum of addresses and length, as of a pseudo header; negative for what is no IP. */
    private static long finishIp(PacketBuffer piece, int start, int number) {
        byte[] data = piece.data;
        int linkBytes = Ethernet.headerBytes(data, piece.offset, piece.length);
        int ip = piece.offset + linkBytes;
        int ipBytes = piece.length - linkBytes;
        int transportBytes = piece.length - start;
        switch (Ethernet.type(data, piece.offset, linkBytes)) {
            case Ethernet.TYPE_IPV4 -> {
                Bytes.putU16(data, ip + Ipv4.ID, Bytes.u16(data, ip + Ipv4.ID) + number);
                Ipv4.finish(data, ip, ipBytes);
                return transportBytes + Checksum.add(0, data, ip + Ipv4.SOURCE, 2 * Ipv4.ADDRESS_BYTES);
            }
            case Ethernet.TYPE_IPV6 -> {
                Ipv6.putTotalLength(data, ip, ipBytes);
                return transportBytes + Checksum.add(0, data, ip + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES);
            }
            default -> {
                return -1;
            }
        }
    }

    private static void finishTcp(byte[] data, int tcp, int bytes, long pseudo, int number, int done, boolean last) {
        Bytes.putI32(data, tcp + Tcp.SEQUENCE, Bytes.i32(data, tcp + Tcp.SEQUENCE) + done);
        int flags = Bytes.u8(data, tcp + Tcp.FLAGS);
        if (number > 0) {
            flags &= ~Tcp.CWR;
        }
        if (!last) {
            flags &= ~(Tcp.FIN | Tcp.PSH);
        }
        Bytes.putU8(data, tcp + Tcp.FLAGS, flags);
        Bytes.putU16(data, tcp + Tcp.CHECKSUM, 0);
        Bytes.putU16(data, tcp + Tcp.CHECKSUM, Checksum.finish(Checksum.add(pseudo + Tcp.PROTOCOL, data, tcp, bytes)));
    }

    private static void finishUdp(byte[] data, int udp, int bytes, long pseudo, int number, int done, boolean last) {
        Bytes.putU16(data, udp + Udp.LENGTH, bytes);
        Bytes.putU16(data, udp + Udp.CHECKSUM, 0);
        int checksum = Checksum.finish(Checksum.add(pseudo + IpProtocol.UDP, data, udp, bytes));
        Bytes.putU16(data, udp + Udp.CHECKSUM, Udp.present(checksum));
    }
}
