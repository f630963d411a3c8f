package org.xfrmbridge.offload;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Tcp;

/**
 * Consecutive segments of a TCP stream, as Linux merges them on receipt (tcp_gro_receive). Acknowledgement, window and
 * options must be equal. IPv4 identifications do not matter: nobody may have cut these.
 */
public final class StreamCoalescing extends Coalescing {
    public StreamCoalescing() {
        super(Tcp.PROTOCOL, Tcp.HEADER_BYTES, Tcp.MAX_HEADER_BYTES, Tcp.CHECKSUM, Integer.MAX_VALUE, MAX_FRAME_BYTES);
    }

    @Override
    int transportBytes(Segment segment) {
        return (flags(segment.frame, segment.transport) & ~Tcp.PSH) == Tcp.ACK
                ? Tcp.headerBytes(segment.frame.data, segment.frame.offset + segment.transport)
                : 0;
    }

    private static int flags(PacketBuffer frame, int tcp) {
        return Bytes.u8(frame.data, frame.offset + tcp + Tcp.FLAGS);
    }

    @Override
    boolean isLast(Segment segment) {
        return (flags(segment.frame, segment.transport) & Tcp.PSH) != 0;
    }

    /** Equal but for sequence, PSH and checksum. */
    @Override
    boolean continuesTransport(int number, int before) {
        int tcp = first.transport;
        return sequence(next) == sequence(first) + before
                && equal(tcp, tcp + Tcp.SEQUENCE)
                && equal(tcp + Tcp.ACKNOWLEDGEMENT, tcp + Tcp.FLAGS)
                && equal(tcp + Tcp.WINDOW, tcp + Tcp.CHECKSUM)
                && equal(tcp + Tcp.CHECKSUM + 2, first.payload);
    }

    private static int sequence(Segment segment) {
        return Bytes.i32(segment.frame.data, segment.frame.offset + segment.transport + Tcp.SEQUENCE);
    }

    @Override
    void finish(byte[] header, PacketBuffer last) {
        header[first.transport + Tcp.FLAGS] |= (byte) (flags(last, first.transport) & Tcp.PSH);
    }
}
