package org.xfrmbridge.daemon.port;

import java.util.concurrent.ThreadLocalRandom;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.MessagesToSend;
import org.xfrmbridge.daemon.port.Shortcuts.Shortcut;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Sends packets by raw sockets, header and all. Where that is the same, ESP in UDP goes by the sockets that receive it,
 * and ESP to its neighbour by a packet socket. What is no IP has no way there. One thread.
 */
final class IpSocketOutput implements RunSender {
    private static final int LINK_LOCAL_PREFIX = 0xfe80;
    private static final int LINK_LOCAL_MASK = 0xffc0;

    private static final int IDENTIFICATIONS = 0xffff;

    private final IpSenders senders;
    private final Encapsulations encapsulations;
    private final MessagesToSend messages = new MessagesToSend();
    private final Runnable flush = messages::flush;
    private final IpSocket link;
    private final Shortcuts shortcuts;
    private final UdpTrain train = new UdpTrain();
    private final IpPacket packet = new IpPacket();
    private boolean hasLooked;
    /** Of the latest packet of which fragments came with none. */
    private int identification = ThreadLocalRandom.current().nextInt(IDENTIFICATIONS) + 1;

    /**
     * @param senders the thread's own
     * @param link for what takes a shortcut
     * @param shortcuts the thread's own
     */
    IpSocketOutput(IpSenders senders, Encapsulations encapsulations, IpSocket link, Shortcuts shortcuts) {
        this.senders = senders;
        this.encapsulations = encapsulations;
        this.link = link;
        this.shortcuts = shortcuts;
    }

    @Override
    public void send(PacketBatch batch) {
        hasLooked = false;
        try {
            RunSender.super.send(batch);
        } finally {
            messages.flush();
        }
    }

    @Override
    public int sendRun(PacketBatch batch, int at) {
        if (packet.parse(batch.get(at)) != IpPacket.Kind.IP) {
            return 1;
        }
        int frames = batch.get(at).origin == Origin.BRIDGE ? train.frames(batch, at, packet) : 0;
        IpSocket udp = frames == 0 ? null : encapsulations.sender(packet.isIpv4(), sourcePort());
        if (udp != null) {
            // Alone, too: queues of devices keep the order of a socket, not that of two.
            int together = messages.refusesTrains() || !encapsulations.sendsTrains() ? 1 : frames;
            sendTrain(udp, batch, at, together);
            return together;
        }
        Shortcut shortcut = shortcut(batch.get(at));
        IpSenders.Sender sender = senders.of(batch.get(at).origin);
        if (shortcut != null) {
            sendTo(shortcut, batch.get(at));
        } else if (packet.isIpv4()) {
            sendIpv4(sender, batch.get(at));
        } else if (sender.ipv6() != null) {
            sendIpv6(sender, batch.get(at));
        }
        return 1;
    }

    /** Only of what the bridge has sealed: about all else the host may have more to say. */
    private Shortcut shortcut(PacketBuffer frame) {
        if (frame.origin != Origin.BRIDGE || frame.ifindex != 0 || !isSealed(packet.protocol)) {
            return null;
        }
        if (!hasLooked) {
            shortcuts.look();
            hasLooked = true;
        }
        return shortcuts.find(packet, frame.mark);
    }

    private static boolean isSealed(int protocol) {
        return protocol == IpProtocol.ESP || protocol == IpProtocol.AH;
    }

    private void sendTo(Shortcut shortcut, PacketBuffer frame) {
        int type = packet.isIpv4() ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6;
        messages.beginLink(link, packet.length, type, shortcut.ifindex(), shortcut.mac());
        mark(frame);
        messages.append(frame.data, packet.offset, packet.length);
        messages.end();
    }

    private int sourcePort() {
        return Bytes.u16(packet.data(), packet.payload + Udp.SOURCE_PORT);
    }

    private void sendTrain(IpSocket udp, PacketBatch batch, int from, int frames) {
        byte[] data = packet.data();
        boolean ipv4 = packet.isIpv4();
        int content = packet.payload + Udp.HEADER_BYTES - batch.get(from).offset;
        int destination = packet.offset + (ipv4 ? Ipv4.DESTINATION : Ipv6.DESTINATION);
        int port = packet.payload + Udp.DESTINATION_PORT;
        messages.beginUdp(udp, frames * UdpTrain.payloadBytes(packet), data, destination, port);
        mark(batch.get(from));
        if (ipv4) {
            messages.ipv4Source(data, packet.offset + Ipv4.SOURCE, 0);
            messages.ipv4Header(Bytes.u8(data, packet.offset + Ipv4.TTL));
        } else {
            messages.ipv6Source(data, packet.offset + Ipv6.SOURCE, 0);
            int hopLimit = Bytes.u8(data, packet.offset + Ipv6.HOP_LIMIT);
            messages.ipv6Header(Ipv6.trafficClass(data, packet.offset), hopLimit);
        }
        if (frames > 1) {
            messages.segments(UdpTrain.payloadBytes(packet));
        }
        for (int i = from; i < from + frames; i++) {
            PacketBuffer frame = batch.get(i);
            int udpAt = frame.offset + content - Udp.HEADER_BYTES;
            messages.append(
                    frame.data, frame.offset + content, Bytes.u16(frame.data, udpAt + Udp.LENGTH) - Udp.HEADER_BYTES);
        }
        messages.end();
    }

    /**
     * The kernel would choose another identification for each fragment. Those of a packet come one behind the other.
     */
    private void identify(byte[] data) {
        if ((Bytes.u16(data, packet.offset + Ipv4.FRAGMENT) & Ipv4.FRAGMENT_OFFSET_MASK) == 0) {
            identification = identification % IDENTIFICATIONS + 1;
        }
        Bytes.putU16(data, packet.offset + Ipv4.ID, identification);
    }

    private void sendIpv4(IpSenders.Sender sender, PacketBuffer frame) {
        byte[] data = frame.data;
        if (Ipv4.isFragment(data, packet.offset) && Bytes.u16(data, packet.offset + Ipv4.ID) == 0) {
            identify(data);
        }
        messages.begin(sender.ipv4(), packet.length, data, packet.offset + Ipv4.DESTINATION);
        mark(frame);
        messages.ipv4Source(data, packet.offset + Ipv4.SOURCE, frame.ifindex);
        messages.append(data, packet.offset, packet.length);
        messages.end();
    }

    private void sendIpv6(IpSenders.Sender sender, PacketBuffer frame) {
        IpSocket by = frame.ifindex == 0 ? sender.ipv6() : sender.ipv6By(frame.ifindex, flush);
        if (by == null) {
            return;
        }
        byte[] data = frame.data;
        int source = packet.offset + Ipv6.SOURCE;
        messages.begin(by, packet.length, data, packet.offset + Ipv6.DESTINATION);
        mark(frame);
        // A kernel refuses an address of a link without its interface, and finds one by the destination.
        if (frame.ifindex != 0 || (Bytes.u16(data, source) & LINK_LOCAL_MASK) != LINK_LOCAL_PREFIX) {
            messages.ipv6Source(data, source, frame.ifindex);
        }
        messages.append(data, packet.offset, packet.length);
        messages.end();
    }

    private void mark(PacketBuffer frame) {
        if (frame.mark != 0) {
            messages.mark(frame.mark);
        }
    }
}
