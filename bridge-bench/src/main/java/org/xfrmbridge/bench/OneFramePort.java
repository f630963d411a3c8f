package org.xfrmbridge.bench;

import java.util.Arrays;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * A port that holds one frame: what was offered is received once, what is sent stays until the next. One thread, no
 * garbage.
 */
final class OneFramePort implements BusyPort {
    static final int LINK_BYTES = 14;

    private static final int PORTS_AT = LINK_BYTES + Ipv4.HEADER_BYTES;
    private static final int TTL = 64;
    private static final int AH_SPI = 4;

    private final byte[] frame = new byte[4096];
    private int length;

    /** Offers a packet of the flow, {@code packetBytes} long with its IP header and zeros behind the ports. */
    void offer(Flow flow, int packetBytes, long hostMac) {
        length = LINK_BYTES + packetBytes;
        Arrays.fill(frame, LINK_BYTES, length, (byte) 0);
        Bytes.putI64(frame, 0, hostMac << 16 | hostMac >>> 32);
        Bytes.putI32(frame, 8, (int) hostMac);
        Bytes.putU16(frame, Ethernet.TYPE, Ethernet.TYPE_IPV4);
        Bytes.putU16(frame, LINK_BYTES, 0x4500);
        frame[LINK_BYTES + Ipv4.TTL] = TTL;
        frame[LINK_BYTES + Ipv4.PROTOCOL] = (byte) flow.protocol;
        Bytes.putI32(frame, LINK_BYTES + Ipv4.SOURCE, (int) (flow.saddrHigh >>> 32));
        Bytes.putI32(frame, LINK_BYTES + Ipv4.DESTINATION, (int) (flow.daddrHigh >>> 32));
        Bytes.putU16(frame, PORTS_AT, flow.sport);
        Bytes.putU16(frame, PORTS_AT + 2, flow.dport);
        Bytes.putU16(frame, PORTS_AT + 4, packetBytes - Ipv4.HEADER_BYTES);
        Ipv4.finish(frame, LINK_BYTES, packetBytes);
    }

    /** Offers what another port was sent last; false if nothing came since it was emptied. */
    boolean offer(OneFramePort from) {
        length = from.length;
        System.arraycopy(from.frame, 0, frame, 0, length);
        return length > 0;
    }

    void empty() {
        length = 0;
    }

    boolean isEmpty() {
        return length == 0;
    }

    /** The IP protocol of the frame that is there. */
    int protocol() {
        return frame[LINK_BYTES + Ipv4.PROTOCOL] & 0xff;
    }

    /** Where it goes, in the upper half as everywhere. */
    long destination() {
        return (long) Bytes.i32(frame, LINK_BYTES + Ipv4.DESTINATION) << 32;
    }

    /** What names the State that it came through, of ESP or AH. */
    int spi() {
        return Bytes.i32(frame, PORTS_AT + (protocol() == IpProtocol.AH ? AH_SPI : 0));
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        if (length > 0) {
            PacketBuffer packet = pool.take();
            packet.ensureCapacity(length);
            System.arraycopy(frame, 0, packet.data, packet.offset, length);
            packet.length = length;
            length = 0;
            into.add(packet);
        }
    }

    @Override
    public void send(PacketBatch batch) {
        PacketBuffer last = batch.get(batch.size() - 1);
        length = last.length;
        System.arraycopy(last.data, last.offset, frame, 0, length);
    }
}
