package org.xfrmbridge.datapath;

import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Makes NAT keepalives, UDP with the one byte 0xff (RFC 3948 2.3), and sends them to the network past the policies, as
 * {@code nat_keepalive_send} does. One thread, which need not be one of the datapath.
 */
public final class KeepaliveOutput {
    private static final int UDP_BYTES = Udp.HEADER_BYTES + 1;
    private static final int TTL = 64;
    private static final byte CONTENT = (byte) 0xff;

    private final HostNetwork network;
    private final PacketPort port;
    private final PacketPool pool = new PacketPool(1);
    private final PacketBatch batch = new PacketBatch(1);

    /** @param port to the network */
    public KeepaliveOutput(HostNetwork network, PacketPort port) {
        this.network = network;
        this.port = port;
    }

    /** Sends one for a State with encapsulation; false if there is no way to its peer at the moment. */
    public boolean send(State state) {
        StateSpec spec = state.spec();
        int mark = spec.markOf(0);
        NextHop nextHop = network.resolve(spec.family(), spec.saddr(), spec.id().daddr(), mark);
        if (nextHop == null) {
            return false;
        }
        PacketBuffer frame = pool.take();
        write(frame, spec, nextHop);
        frame.mark = mark;
        batch.add(frame);
        try {
            port.send(batch);
        } finally {
            batch.releaseTo(pool);
        }
        return true;
    }

    private static void write(PacketBuffer frame, StateSpec spec, NextHop nextHop) {
        boolean ipv4 = spec.family() == AddressFamily.INET;
        int headerBytes = ipv4 ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES;
        int packet = frame.offset + Ethernet.HEADER_BYTES;
        frame.length = Ethernet.HEADER_BYTES + headerBytes + UDP_BYTES;
        MacAddress.write(frame.data, frame.offset + Ethernet.DESTINATION, nextHop.destinationMac());
        MacAddress.write(frame.data, frame.offset + Ethernet.SOURCE, nextHop.sourceMac());
        Bytes.putU16(frame.data, frame.offset + Ethernet.TYPE, ipv4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        writeUdp(frame.data, packet + headerBytes, spec.encapsulation());
        if (ipv4) {
            writeIpv4(frame.data, packet, spec);
        } else {
            writeIpv6(frame.data, packet, spec);
        }
    }

    private static void writeUdp(byte[] out, int udp, Encapsulation encapsulation) {
        Bytes.putU16(out, udp + Udp.SOURCE_PORT, encapsulation.sport());
        Bytes.putU16(out, udp + Udp.DESTINATION_PORT, encapsulation.dport());
        Bytes.putU16(out, udp + Udp.LENGTH, UDP_BYTES);
        Bytes.putU16(out, udp + Udp.CHECKSUM, 0);
        out[udp + Udp.HEADER_BYTES] = CONTENT;
    }

    private static void writeIpv4(byte[] out, int at, StateSpec spec) {
        Bytes.putI32(out, at, 0x4500_0000);
        Bytes.putI32(out, at + Ipv4.ID, Ipv4.DONT_FRAGMENT);
        Bytes.putU16(out, at + Ipv4.TTL, TTL << 8 | IpProtocol.UDP);
        Bytes.putI32(out, at + Ipv4.SOURCE, spec.saddr().ipv4());
        Bytes.putI32(out, at + Ipv4.DESTINATION, spec.id().daddr().ipv4());
        Ipv4.finish(out, at, Ipv4.HEADER_BYTES + UDP_BYTES);
    }

    private static void writeIpv6(byte[] out, int at, StateSpec spec) {
        Bytes.putI32(out, at, 6 << 28);
        Ipv6.putTotalLength(out, at, Ipv6.HEADER_BYTES + UDP_BYTES);
        Bytes.putU16(out, at + Ipv6.NEXT_HEADER, IpProtocol.UDP << 8 | TTL);
        Bytes.putI64(out, at + Ipv6.SOURCE, spec.saddr().high());
        Bytes.putI64(out, at + Ipv6.SOURCE + 8, spec.saddr().low());
        Bytes.putI64(out, at + Ipv6.DESTINATION, spec.id().daddr().high());
        Bytes.putI64(out, at + Ipv6.DESTINATION + 8, spec.id().daddr().low());
        int udp = at + Ipv6.HEADER_BYTES;
        long sum = Checksum.add(0, out, at + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES) + IpProtocol.UDP + UDP_BYTES;
        // RFC 8200 8.1: a zero is sent as ones.
        int checksum = Checksum.finish(Checksum.add(sum, out, udp, UDP_BYTES));
        Bytes.putU16(out, udp + Udp.CHECKSUM, Udp.present(checksum));
    }
}
