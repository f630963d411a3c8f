package org.xfrmbridge.daemon.control;

import java.nio.ByteBuffer;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.Families;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.ControlSession;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * A PF_KEY session on its channel, and the encapsulation that a confined process registers through it because it can
 * reach no other socket of the bridge: docs/preload-protocol.md. Control thread only.
 */
final class PfkeyChannelSession implements ControlSession {
    private final ControlSession session;
    private final SocketPolicies sockets;
    private final Peer peer;

    PfkeyChannelSession(ControlSession session, SocketPolicies sockets, Peer peer) {
        this.session = session;
        this.sockets = sockets;
        this.peer = peer;
    }

    @Override
    public void receive(ByteBuffer datagram, boolean trusted) {
        ControlFrame frame = ControlFrame.isControl(datagram) ? ControlFrame.read(datagram) : null;
        if (frame != null && frame.op() == ControlFrame.ENCAPSULATE) {
            datagram.position(datagram.limit());
            encapsulate(frame.first() >>> 16, frame.first() & 0xffff, frame.second());
        } else {
            session.receive(datagram, trusted);
        }
    }

    @Override
    public void resume(ByteBuffer rest, boolean trusted) {
        session.resume(rest, trusted);
    }

    @Override
    public void refuse(ByteBuffer start) {
        session.refuse(start);
    }

    private void encapsulate(int family, int port, int type) {
        if (peer.privileged() && AddressFamily.isIp(family)) {
            long cookie = (long) family << 16 | port;
            LocalEndpoint at = new LocalEndpoint(family, IpProtocol.UDP, Address.ANY, port, Families.OWN);
            sockets.setEncapsulation(this, cookie, at, type);
        }
    }

    @Override
    public void writable() {
        session.writable();
    }

    @Override
    public boolean hasBacklog() {
        return session.hasBacklog();
    }

    @Override
    public boolean isListening() {
        return session.isListening();
    }

    @Override
    public void close() {
        if (peer.privileged()) {
            sockets.closeAll(this);
        }
        session.close();
    }
}
