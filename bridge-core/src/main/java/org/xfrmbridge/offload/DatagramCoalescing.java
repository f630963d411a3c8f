package org.xfrmbridge.offload;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Datagrams of one UDP flow. Who takes them cuts them again, so that they stay what they are, and merged ones have
 * passed its rules as one. An IPv4 identification counts up, as a kernel that cuts has it, or nobody may cut the
 * datagram.
 */
public final class DatagramCoalescing extends Coalescing {
    /** What every kernel cuts. */
    private static final int MAX_DATAGRAMS = 64;

    public DatagramCoalescing() {
        super(IpProtocol.UDP, Udp.HEADER_BYTES, Udp.HEADER_BYTES, Udp.CHECKSUM, MAX_DATAGRAMS);
    }

    /** It has a checksum, and is whole. */
    @Override
    int transportBytes(Segment segment) {
        byte[] data = segment.frame.data;
        int udp = segment.frame.offset + segment.transport;
        return Bytes.u16(data, udp + Udp.CHECKSUM) != 0
                        && Bytes.u16(data, udp + Udp.LENGTH) == segment.frame.length - segment.transport
                ? Udp.HEADER_BYTES
                : 0;
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
