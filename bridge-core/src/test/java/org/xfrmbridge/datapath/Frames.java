package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.IpProtocol;

/** Frames for tests. Packets have right lengths and checksums and a payload that counts. */
final class Frames {
    String source = "10.1.0.1";
    String destination = "10.2.0.1";
    int protocol = IpProtocol.UDP;
    int sport = 1111;
    int dport = 2222;
    int payloadBytes = 100;
    int tos;
    int ttl = 64;
    int id;
    int fragmentWord;
    int flowLabel;
    byte[] options = {};
    byte[] payload;
    long sourceMac = StaticNetwork.HOST_MAC;
    long destinationMac = StaticNetwork.GATEWAY_MAC;

    static Frames udp(String source, String destination) {
        Frames frames = new Frames();
        frames.source = source;
        frames.destination = destination;
        return frames;
    }

    Frames bytes(int count) {
        payloadBytes = count;
        return this;
    }

    Frames dontFragment() {
        fragmentWord = Ipv4.DONT_FRAGMENT;
        return this;
    }

    Frames tos(int value) {
        tos = value;
        return this;
    }

    /** As a frame that comes from the network. */
    Frames inbound() {
        sourceMac = StaticNetwork.GATEWAY_MAC;
        destinationMac = StaticNetwork.HOST_MAC;
        return this;
    }

    Frames payload(int newProtocol, byte[] bytes) {
        protocol = newProtocol;
        payload = bytes;
        return this;
    }

    boolean isIpv4() {
        return source.indexOf(':') < 0;
    }

    byte[] frame() {
        byte[] packet = packet();
        byte[] frame = new byte[Ethernet.HEADER_BYTES + packet.length];
        MacAddress.write(frame, Ethernet.DESTINATION, destinationMac);
        MacAddress.write(frame, Ethernet.SOURCE, sourceMac);
        Bytes.putU16(frame, Ethernet.TYPE, isIpv4() ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        System.arraycopy(packet, 0, frame, Ethernet.HEADER_BYTES, packet.length);
        return frame;
    }

    byte[] packet() {
        byte[] upper = payload != null ? payload : udp();
        int headerBytes = isIpv4() ? Ipv4.HEADER_BYTES + options.length : Ipv6.HEADER_BYTES;
        byte[] packet = new byte[headerBytes + upper.length];
        System.arraycopy(upper, 0, packet, headerBytes, upper.length);
        if (isIpv4()) {
            ipv4(packet, headerBytes);
        } else {
            ipv6(packet);
        }
        if (payload == null) {
            checksum(packet, headerBytes);
        }
        return packet;
    }

    private byte[] udp() {
        byte[] udp = new byte[Udp.HEADER_BYTES + payloadBytes];
        Bytes.putU16(udp, Udp.SOURCE_PORT, sport);
        Bytes.putU16(udp, Udp.DESTINATION_PORT, dport);
        Bytes.putU16(udp, Udp.LENGTH, udp.length);
        for (int i = Udp.HEADER_BYTES; i < udp.length; i++) {
            udp[i] = (byte) i;
        }
        return udp;
    }

    private void ipv4(byte[] packet, int headerBytes) {
        packet[0] = (byte) (0x40 | headerBytes / 4);
        packet[Ipv4.TOS] = (byte) tos;
        Bytes.putU16(packet, Ipv4.ID, id);
        Bytes.putU16(packet, Ipv4.FRAGMENT, fragmentWord);
        packet[Ipv4.TTL] = (byte) ttl;
        packet[Ipv4.PROTOCOL] = (byte) protocol;
        Bytes.putI32(packet, Ipv4.SOURCE, Address.parse(source).ipv4());
        Bytes.putI32(packet, Ipv4.DESTINATION, Address.parse(destination).ipv4());
        System.arraycopy(options, 0, packet, Ipv4.HEADER_BYTES, options.length);
        Ipv4.finish(packet, 0, packet.length);
    }

    private void ipv6(byte[] packet) {
        Bytes.putI32(packet, 0, 6 << 28 | tos << 20 | flowLabel);
        Ipv6.putTotalLength(packet, 0, packet.length);
        packet[Ipv6.NEXT_HEADER] = (byte) protocol;
        packet[Ipv6.HOP_LIMIT] = (byte) ttl;
        Bytes.putI64(packet, Ipv6.SOURCE, Address.parse(source).high());
        Bytes.putI64(packet, Ipv6.SOURCE + 8, Address.parse(source).low());
        Bytes.putI64(packet, Ipv6.DESTINATION, Address.parse(destination).high());
        Bytes.putI64(packet, Ipv6.DESTINATION + 8, Address.parse(destination).low());
    }

    private static void checksum(byte[] packet, int udpAt) {
        PacketBuffer buffer = new PacketBuffer();
        buffer.data = packet;
        IpPacket view = new IpPacket();
        view.buffer = buffer;
        view.reparse(packet[0] >>> 4 == 4 ? 2 : 10, 0, packet.length);
        int bytes = packet.length - udpAt;
        long sum = Checksum.pseudoHeader(view, IpProtocol.UDP, bytes);
        Bytes.putU16(packet, udpAt + Udp.CHECKSUM, Checksum.finish(Checksum.add(sum, packet, udpAt, bytes)));
    }

    /** A packet as it comes from the network. */
    static byte[] framed(byte[] packet) {
        byte[] frame = new byte[Ethernet.HEADER_BYTES + packet.length];
        MacAddress.write(frame, Ethernet.DESTINATION, StaticNetwork.HOST_MAC);
        MacAddress.write(frame, Ethernet.SOURCE, StaticNetwork.GATEWAY_MAC);
        Bytes.putU16(frame, Ethernet.TYPE, packet[0] >>> 4 == 4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        System.arraycopy(packet, 0, frame, Ethernet.HEADER_BYTES, packet.length);
        return frame;
    }

    /** The IP packet in a frame, without padding. */
    static byte[] packet(byte[] frame) {
        IpPacket view = view(frame);
        return Arrays.copyOfRange(view.data(), view.offset, view.end());
    }

    /** A look at a frame. */
    static IpPacket view(byte[] frame) {
        PacketBuffer buffer = new PacketBuffer();
        buffer.ensureCapacity(frame.length);
        System.arraycopy(frame, 0, buffer.data, buffer.offset, frame.length);
        buffer.length = frame.length;
        IpPacket view = new IpPacket();
        IpPacket.Kind kind = view.parse(buffer);
        if (kind != IpPacket.Kind.IP) {
            throw new AssertionError("a frame that is " + kind + ": " + Arrays.toString(frame));
        }
        return view;
    }
}
