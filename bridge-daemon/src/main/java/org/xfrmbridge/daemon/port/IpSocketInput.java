package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.ReceivedMessages;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Makes frames again of what sockets receive: an Ethernet header of zeros, and the headers that a socket takes away. An
 * IPv4 header so made has no options, DF set and no identification; an IPv6 one no extension headers; UDP no checksum.
 * One thread.
 */
final class IpSocketInput {
    private final ReceivedMessages messages = new ReceivedMessages();
    private SocketReceiver receiver;
    private int count;
    private int next;

    /** Whether all that was fetched has been taken. */
    boolean isEmpty() {
        return next >= count;
    }

    /** Whether what was fetched is ESP over IP. */
    boolean isEsp() {
        return receiver.protocol() == IpProtocol.ESP;
    }

    /** Fetches what waits at a socket; whether more may wait. */
    boolean fetch(SocketReceiver from) {
        receiver = from;
        next = 0;
        count = messages.receive(from.socket());
        return count == ReceivedMessages.MOST;
    }

    /** Takes the next of what was fetched, which may yield many frames or none. A fault costs this one alone. */
    void take(PacketPool pool, PacketBatch into) {
        if (!messages.read(next++) || !(receiver.isIpv4() && !receiver.isUdp() || messages.hasDestination())) {
            return;
        }
        int bytes = messages.bytes();
        int segmentBytes = receiver.isUdp() ? messages.segmentBytes() : 0;
        if (segmentBytes <= 0 || segmentBytes >= bytes) {
            into.add(frame(pool, 0, bytes));
            return;
        }
        for (int at = 0; at < bytes; at += segmentBytes) {
            into.add(frame(pool, at, Math.min(segmentBytes, bytes - at)));
        }
    }

    private PacketBuffer frame(PacketPool pool, int from, int bytes) {
        int headerBytes = headerBytes();
        PacketBuffer frame = pool.take();
        frame.ensureCapacity(Ethernet.HEADER_BYTES + headerBytes + bytes);
        frame.length = Ethernet.HEADER_BYTES + headerBytes + bytes;
        frame.mark = messages.mark();
        frame.ifindex = messages.ifindex();
        byte[] data = frame.data;
        int ip = frame.offset + Ethernet.HEADER_BYTES;
        Bytes.putI64(data, frame.offset, 0);
        Bytes.putI32(data, frame.offset + 8, 0);
        Bytes.putU16(data, frame.offset + Ethernet.TYPE, receiver.isIpv4() ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        messages.copy(from, data, ip + headerBytes, bytes);
        if (receiver.isUdp()) {
            writeUdp(data, ip + headerBytes - Udp.HEADER_BYTES, Udp.HEADER_BYTES + bytes);
        }
        if (!receiver.isIpv4()) {
            writeIpv6(data, ip, headerBytes + bytes);
        } else if (receiver.isUdp()) {
            writeIpv4(data, ip, headerBytes + bytes);
        }
        return frame;
    }

    private int headerBytes() {
        if (receiver.isIpv4()) {
            return receiver.isUdp() ? Ipv4.HEADER_BYTES + Udp.HEADER_BYTES : 0;
        }
        return Ipv6.HEADER_BYTES + (receiver.isUdp() ? Udp.HEADER_BYTES : 0);
    }

    private void writeUdp(byte[] data, int at, int udpBytes) {
        messages.copySourcePort(data, at + Udp.SOURCE_PORT);
        Bytes.putU16(data, at + Udp.DESTINATION_PORT, receiver.udpPort());
        Bytes.putU16(data, at + Udp.LENGTH, udpBytes);
        Bytes.putU16(data, at + Udp.CHECKSUM, 0);
    }

    private void writeIpv4(byte[] data, int at, int packetBytes) {
        Bytes.putU16(data, at, 0x4500 | messages.tos());
        Bytes.putI32(data, at + Ipv4.ID, Ipv4.DONT_FRAGMENT);
        Bytes.putU16(data, at + Ipv4.TTL, messages.hopLimit() << 8 | IpProtocol.UDP);
        messages.copySource(data, at + Ipv4.SOURCE, Ipv4.ADDRESS_BYTES);
        messages.copyDestination(data, at + Ipv4.DESTINATION, Ipv4.ADDRESS_BYTES);
        Ipv4.finish(data, at, packetBytes);
    }

    private void writeIpv6(byte[] data, int at, int packetBytes) {
        Bytes.putI32(data, at, 6 << 28 | messages.flowInfo());
        Ipv6.putTotalLength(data, at, packetBytes);
        Bytes.putU16(data, at + Ipv6.NEXT_HEADER, receiver.protocol() << 8 | messages.hopLimit());
        messages.copySource(data, at + Ipv6.SOURCE, Ipv6.ADDRESS_BYTES);
        messages.copyDestination(data, at + Ipv6.DESTINATION, Ipv6.ADDRESS_BYTES);
    }
}
