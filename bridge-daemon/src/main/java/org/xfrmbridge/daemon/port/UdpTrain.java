package org.xfrmbridge.daemon.port;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Finds frames in a batch that a UDP socket may send as one, UDP_SEGMENT of udp(7): neighbours of one flow whose
 * headers are equal, and whose payloads are of one size but for the last, which may be shorter. Confined to one thread.
 */
final class UdpTrain {
    /** What every kernel cuts. */
    private static final int MAX_SEGMENTS = 64;

    private static final int MAX_BYTES = 65_535 - Ipv4.HEADER_BYTES - Udp.HEADER_BYTES;

    private final IpPacket next = new IpPacket();

    /** How many frames go together; 0 if not even the first may go so. @param first the packet at the index */
    int frames(PacketBatch batch, int from, IpPacket first) {
        if (!mayTravel(first)) {
            return 0;
        }
        int segmentBytes = payloadBytes(first);
        int bytes = segmentBytes;
        int frames = 1;
        while (frames < MAX_SEGMENTS && from + frames < batch.size() && follows(batch.get(from + frames), first)) {
            int more = payloadBytes(next);
            if (more > segmentBytes || bytes + more > MAX_BYTES) {
                break;
            }
            bytes += more;
            frames++;
            if (more < segmentBytes) {
                break;
            }
        }
        return frames;
    }

    /**
     * UDP with a payload, right behind an IP header that a socket would write. A TOS it would write too, but in IPv4
     * that gives the packet another priority, by which rules would take it for the host's.
     */
    private static boolean mayTravel(IpPacket packet) {
        int headerBytes = packet.isIpv4() ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES;
        return packet.protocol == IpProtocol.UDP
                && (!packet.isIpv4() || packet.data()[packet.offset + Ipv4.TOS] == 0)
                && packet.buffer.ifindex == 0
                && packet.payload - packet.offset == headerBytes
                && !packet.mayBeFragmented()
                && !packet.fragment
                && packet.payloadBytes() > Udp.HEADER_BYTES
                && Bytes.u16(packet.data(), packet.payload + Udp.LENGTH) == packet.payloadBytes();
    }

    private boolean follows(PacketBuffer frame, IpPacket first) {
        return next.parse(frame) == IpPacket.Kind.IP
                && next.family == first.family
                && mayTravel(next)
                && frame.mark == first.buffer.mark
                && (first.isIpv4()
                        ? equal(first, 0, Ipv4.TOTAL_LENGTH)
                                && equal(first, Ipv4.FRAGMENT, Ipv4.CHECKSUM)
                                && equal(first, Ipv4.SOURCE, Ipv4.HEADER_BYTES + Udp.LENGTH)
                        : equal(first, 0, Ipv6.PAYLOAD_LENGTH)
                                && equal(first, Ipv6.NEXT_HEADER, Ipv6.HEADER_BYTES + Udp.LENGTH));
    }

    private boolean equal(IpPacket first, int from, int to) {
        return Arrays.equals(
                first.data(),
                first.offset + from,
                first.offset + to,
                next.data(),
                next.offset + from,
                next.offset + to);
    }

    static int payloadBytes(IpPacket packet) {
        return packet.payloadBytes() - Udp.HEADER_BYTES;
    }
}
