package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.MessagesToSend;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.IpProtocol;

/** Sends ESP packets of the bridge's own out of an interface at once, and all else by the TAP behind it. One thread. */
final class LinkOutput implements RunSender {
    private final IpSocket socket;
    private final int ifindex;
    private final TapOutput tap;
    private final MessagesToSend messages = new MessagesToSend();
    private final IpPacket packet = new IpPacket();

    LinkOutput(IpSocket socket, int ifindex, TapOutput tap) {
        this.socket = socket;
        this.ifindex = ifindex;
        this.tap = tap;
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
        PacketBuffer frame = batch.get(at);
        if (frame.origin != Origin.BRIDGE
                || packet.parse(frame) != IpPacket.Kind.IP
                || packet.protocol != IpProtocol.ESP) {
            messages.flush();
            return tap.sendRun(batch, at);
        }
        messages.beginFrame(socket, frame.length, ifindex);
        messages.append(frame.data, frame.offset, frame.length);
        messages.end();
        return 1;
    }
}
