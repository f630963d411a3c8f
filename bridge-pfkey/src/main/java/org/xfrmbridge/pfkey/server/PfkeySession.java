package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.MessageQueue;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.pfkey.sadb.SadbMessage;

/**
 * The kernel's end of one client's PF_KEY socket, without the socket; used like a netlink session. So far every well-formed request is
 * refused with EOPNOTSUPP, which clients take for a kernel that lacks the operation, and every other one with EINVAL. Control thread only.
 */
public final class PfkeySession {
    private static final int EVENT_LIMIT_BYTES = 1 << 20;

    private final MessageQueue queue;

    public PfkeySession(MessageSink sink) {
        this.queue = new MessageQueue(sink, EVENT_LIMIT_BYTES);
    }

    /** Takes one datagram of the client, from position to limit: one message or a control frame. */
    public void receive(ByteBuffer datagram) {
        // Without a header there is nobody to answer.
        if (ControlFrame.isControl(datagram) || datagram.remaining() < SadbMessage.BYTES) {
            return;
        }
        SadbMessage request = SadbMessage.read(datagram);
        Errno reason = request.fits(datagram.remaining()) ? Errno.EOPNOTSUPP : Errno.EINVAL;
        queue.sendReply(request.refusedWith(reason.number()).toBytes());
    }

    /** The client can be written to again. */
    public void writable() {
        queue.flush();
    }

    /** Whether something waits until the client reads: until then no more should be read from it. */
    public boolean hasBacklog() {
        return !queue.isEmpty();
    }

    /** The client is gone. */
    public void close() {
        queue.clear();
    }
}
