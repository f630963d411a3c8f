package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.MessagesToSend;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;

/** Sends packets by raw sockets, header and all; what is no IP has no way there. One thread. */
final class IpSocketOutput implements RunSender {
    private static final int LINK_LOCAL_PREFIX = 0xfe80;
    private static final int LINK_LOCAL_MASK = 0xffc0;

    private final IpSocket ipv4;
    private final IpSocket ipv6;
    private final IpSocket boundV6;
    private final MessagesToSend messages = new MessagesToSend();
    private final IpPacket packet = new IpPacket();
    private int boundIndex;

    /**
     * @param ipv6 null on a host without IPv6
     * @param boundV6 the thread's own, for packets that are to leave by one interface: a kernel holds IPv6 with a
     *     source address to it only if the socket is bound
     */
    IpSocketOutput(IpSocket ipv4, IpSocket ipv6, IpSocket boundV6) {
        this.ipv4 = ipv4;
        this.ipv6 = ipv6;
        this.boundV6 = boundV6;
    }

    @Override
    public void send(PacketBatch batch) {
        try {
            RunSender.super.send(batch);
        } finally {
            messages.flush();
        }
    }

    @Override
    public int sendRun(PacketBatch batch, int at) {
        if (packet.parse(batch.get(at)) == IpPacket.Kind.IP) {
            if (packet.isIpv4()) {
                sendIpv4(batch.get(at));
            } else if (ipv6 != null) {
                sendIpv6(batch.get(at));
            }
        }
        return 1;
    }

    private void sendIpv4(PacketBuffer frame) {
        byte[] data = frame.data;
        messages.begin(ipv4, packet.length, data, packet.offset + Ipv4.DESTINATION);
        mark(frame);
        messages.ipv4Source(data, packet.offset + Ipv4.SOURCE, frame.ifindex);
        messages.end(data, packet.offset, packet.length);
    }

    private void sendIpv6(PacketBuffer frame) {
        if (frame.ifindex != 0 && !bind(frame.ifindex)) {
            return;
        }
        byte[] data = frame.data;
        int source = packet.offset + Ipv6.SOURCE;
        IpSocket by = frame.ifindex == 0 ? ipv6 : boundV6;
        messages.begin(by, packet.length, data, packet.offset + Ipv6.DESTINATION);
        mark(frame);
        // A kernel refuses an address of a link without its interface, and finds one by the destination.
        if (frame.ifindex != 0 || (Bytes.u16(data, source) & LINK_LOCAL_MASK) != LINK_LOCAL_PREFIX) {
            messages.ipv6Source(data, source, frame.ifindex);
        }
        messages.end(data, packet.offset, packet.length);
    }

    /** False if there is no such interface any more. */
    private boolean bind(int ifindex) {
        if (ifindex == boundIndex) {
            return true;
        }
        messages.flush();
        try {
            boundV6.bindTo(ifindex);
            boundIndex = ifindex;
            return true;
        } catch (OsException e) {
            return false;
        }
    }

    private void mark(PacketBuffer frame) {
        if (frame.mark != 0) {
            messages.mark(frame.mark);
        }
    }
}
