package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.IpProtocol;

/** Divides packets that are longer than the way they go: RFC 791 section 3.2, RFC 8200 section 4.5. One thread. */
final class Fragmenter {
    private static final int UNIT_BYTES = 8;
    private static final int OPTION_END = 0;
    private static final int OPTION_NOP = 1;
    private static final int OPTION_COPIED = 0x80;

    private final PacketPool pool;
    private final Identifications identifications;
    /** Where the IP header of the fragment in hand starts. */
    private int pieceAt;

    Fragmenter(PacketPool pool, Identifications identifications) {
        this.pool = pool;
        this.identifications = identifications;
    }

    /**
     * Whether it can be divided so: headers and eight bytes have to fit into each fragment. Moves the packet's protocol
     * to its {@link IpPacket#transportPoint}.
     */
    static boolean divides(IpPacket packet, int mtuBytes) {
        return stepBytes(packet, mtuBytes) > 0;
    }

    /**
     * Appends the fragments as frames with the packet's link header, mark and interface, and gives the packet's own
     * buffer back to the pool. The packet is one that {@link #divides} so.
     */
    void divide(IpPacket packet, int mtuBytes, PacketBatch into) {
        packet.restoreLink();
        int step = stepBytes(packet, mtuBytes);
        if (packet.isIpv4()) {
            divideIpv4(packet, step, into);
        } else {
            divideIpv6(packet, step, into);
        }
        pool.give(packet.buffer);
    }

    /** How much of the payload each fragment has but for the last; not positive if the headers alone do not fit. */
    private static int stepBytes(IpPacket packet, int mtuBytes) {
        int headerBytes = packet.isIpv4()
                ? Ipv4.headerBytes(packet.data(), packet.offset)
                : packet.transportPoint() - packet.offset + Ipv6.FRAGMENT_HEADER_BYTES;
        return mtuBytes - headerBytes & -UNIT_BYTES;
    }

    /**
     * Makes a packet one that may be divided, whose sender forbids it: of IPv4 the bit goes, and an identification
     * comes if there is none. The checksum is left to who divides.
     */
    void permit(IpPacket packet) {
        if (!packet.isIpv4()) {
            return;
        }
        byte[] data = packet.data();
        int word = Bytes.u16(data, packet.offset + Ipv4.FRAGMENT);
        Bytes.putU16(data, packet.offset + Ipv4.FRAGMENT, word & ~Ipv4.DONT_FRAGMENT);
        if (Bytes.u16(data, packet.offset + Ipv4.ID) == 0) {
            Bytes.putU16(data, packet.offset + Ipv4.ID, identifications.nextIpv4());
        }
    }

    private void divideIpv4(IpPacket packet, int step, PacketBatch into) {
        byte[] data = packet.data();
        int headerBytes = Ipv4.headerBytes(data, packet.offset);
        int flags = Bytes.u16(data, packet.offset + Ipv4.FRAGMENT) & Ipv4.DONT_FRAGMENT;
        int dataBytes = packet.length - headerBytes;
        for (int start = 0; start < dataBytes; start += step) {
            int bytes = Math.min(step, dataBytes - start);
            PacketBuffer frame = frame(packet, headerBytes + bytes);
            System.arraycopy(data, packet.offset, frame.data, pieceAt, headerBytes);
            System.arraycopy(data, packet.offset + headerBytes + start, frame.data, pieceAt + headerBytes, bytes);
            if (start > 0) {
                blankOptions(frame.data, pieceAt + Ipv4.HEADER_BYTES, pieceAt + headerBytes);
            }
            int more = start + bytes < dataBytes ? Ipv4.MORE_FRAGMENTS : 0;
            Bytes.putU16(frame.data, pieceAt + Ipv4.FRAGMENT, flags | more | start / UNIT_BYTES);
            Ipv4.finish(frame.data, pieceAt, headerBytes + bytes);
            into.add(frame);
        }
    }

    private void divideIpv6(IpPacket packet, int step, PacketBatch into) {
        byte[] data = packet.data();
        int headerBytes = packet.transportPoint() - packet.offset;
        int id = identifications.nextIpv6();
        int dataBytes = packet.length - headerBytes;
        for (int start = 0; start < dataBytes; start += step) {
            int bytes = Math.min(step, dataBytes - start);
            int length = headerBytes + Ipv6.FRAGMENT_HEADER_BYTES + bytes;
            PacketBuffer frame = frame(packet, length);
            int header = pieceAt + headerBytes;
            System.arraycopy(data, packet.offset, frame.data, pieceAt, headerBytes);
            System.arraycopy(
                    data, packet.offset + headerBytes + start, frame.data, header + Ipv6.FRAGMENT_HEADER_BYTES, bytes);
            frame.data[pieceAt + packet.protocolAt - packet.offset] = IpProtocol.FRAGMENT;
            Bytes.putU16(frame.data, header, packet.protocol << 8);
            int more = start + bytes < dataBytes ? Ipv6.FRAGMENT_MORE : 0;
            Bytes.putU16(frame.data, header + Ipv6.FRAGMENT_OFFSET_FLAGS, start | more);
            Bytes.putI32(frame.data, header + Ipv6.FRAGMENT_ID, id);
            Ipv6.putTotalLength(frame.data, pieceAt, length);
            into.add(frame);
        }
    }

    /** A fresh frame with the packet's link header and room for so many bytes, at {@link #pieceAt}. */
    private PacketBuffer frame(IpPacket packet, int packetBytes) {
        PacketBuffer frame = pool.take();
        frame.ensureCapacity(packet.linkBytes + packetBytes);
        frame.length = packet.linkBytes + packetBytes;
        frame.mark = packet.buffer.mark;
        frame.ifindex = packet.buffer.ifindex;
        frame.origin = packet.buffer.origin;
        System.arraycopy(packet.data(), packet.buffer.offset, frame.data, frame.offset, packet.linkBytes);
        pieceAt = frame.offset + packet.linkBytes;
        return frame;
    }

    /**
     * Only options with the copied flag go into later fragments; the others become NOPs, as a shorter header would move
     * the units.
     */
    private static void blankOptions(byte[] data, int from, int to) {
        int at = from;
        while (at < to && data[at] != OPTION_END) {
            int bytes = data[at] == OPTION_NOP || at + 1 >= to ? 1 : Bytes.u8(data, at + 1);
            if (bytes == 0 || at + bytes > to) {
                return;
            }
            if ((data[at] & OPTION_COPIED) == 0) {
                Arrays.fill(data, at, at + bytes, (byte) OPTION_NOP);
            }
            at += bytes;
        }
    }
}
