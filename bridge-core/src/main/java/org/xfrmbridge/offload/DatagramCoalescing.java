package org.xfrmbridge.offload;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Datagrams of one UDP flow. Who takes them cuts them again, so that they stay what they are, and merged ones have
 * passed its rules as one. An IPv4 identification counts up, as a kernel that cuts has it, or nobody may cut the
 * datagram. Who cuts gives each a checksum.
 */
public final class DatagramCoalescing extends Coalescing {
    /** What every kernel cuts. */
    private static final int MAX_DATAGRAMS = 64;

    private final boolean outerOnly;

    private DatagramCoalescing(boolean outerOnly, int mostDatagrams, int mostFrameBytes) {
        super(
                IpProtocol.UDP,
                Udp.HEADER_BYTES,
                Udp.HEADER_BYTES,
                Udp.CHECKSUM,
                Math.min(mostDatagrams, MAX_DATAGRAMS),
                Math.min(mostFrameBytes, MAX_FRAME_BYTES));
        this.outerOnly = outerOnly;
    }

    /** Of anybody's datagrams: those that have a checksum. */
    public static DatagramCoalescing ofAll() {
        return new DatagramCoalescing(false, MAX_DATAGRAMS, MAX_FRAME_BYTES);
    }

    /**
     * Of the bridge's own, outer packets: ESP in UDP over IPv4 has no checksum, and may have one (RFC 3948 2.1).
     *
     * @param mostDatagrams that the device on their way cuts
     * @param mostFrameBytes that it cuts, the link header included
     */
    public static DatagramCoalescing ofOuterPackets(int mostDatagrams, int mostFrameBytes) {
        return new DatagramCoalescing(true, mostDatagrams, mostFrameBytes);
    }

    /** It has a checksum, or is to have one, and is whole. */
    @Override
    int transportBytes(Segment segment) {
        int udp = segment.frame.offset + segment.transport;
        return (outerOnly ? isOuter(segment) : hasChecksum(segment))
                        && Bytes.u16(segment.frame.data, udp + Udp.LENGTH) == segment.frame.length - segment.transport
                ? Udp.HEADER_BYTES
                : 0;
    }

    private static boolean isOuter(Segment segment) {
        return segment.frame.origin == Origin.BRIDGE && (segment.ipv4 || hasChecksum(segment));
    }

    private static boolean hasChecksum(Segment segment) {
        return Bytes.u16(segment.frame.data, segment.frame.offset + segment.transport + Udp.CHECKSUM) != 0;
    }

    @Override
    boolean isIntact(Segment segment) {
        return !hasChecksum(segment) || super.isIntact(segment);
    }

    @Override
    boolean isLast(Segment segment) {
        return false;
    }

    @Override
    boolean continuesTransport(int number, int before) {
        return equal(first.transport, first.transport + Udp.LENGTH) && (!first.ipv4 || continuesIdentification(number));
    }

    private boolean continuesIdentification(int number) {
        return Ipv4.dontFragment(first.frame.data, first.frame.offset + first.ip)
                || identification(next) == (identification(first) + number & 0xffff);
    }

    private static int identification(Segment segment) {
        return Bytes.u16(segment.frame.data, segment.frame.offset + segment.ip + Ipv4.ID);
    }

    @Override
    void finish(byte[] header, PacketBuffer last) {
        Bytes.putU16(header, first.transport + Udp.LENGTH, Udp.HEADER_BYTES + payloadBytes());
    }
}
