package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.it.conformance.Recording.Event;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.pfkey.server.PfkeyCaller;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;
import org.xfrmbridge.pfkey.server.PfkeySession;

/** The three PF_KEY sockets of a sequence, as {@code replay.c} has them. */
final class PfkeySockets {
    private static final int INDEX_OFFSET = 8;

    private final List<byte[]> replies;
    private final PfkeySession client;
    private final PfkeySession registered;
    private final PfkeySession plain;
    private boolean asking;
    private int lastIndex;

    PfkeySockets(XfrmService service, PfkeyKeyManager keyManager, List<byte[]> replies, List<Event> events) {
        this.replies = replies;
        // In the order in which a kernel's list has them: it matters to nobody but readers of a difference.
        plain = new PfkeySession(service, keyManager, in -> hear(events, Recording.PF_KEY_PLAIN, in), privileged(1));
        registered = new PfkeySession(
                service, keyManager, in -> hear(events, Recording.PF_KEY_REGISTERED, in), privileged(2));
        registered.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.REGISTER, Satype.ESP, 0).toBytes()));
        client = new PfkeySession(
                service,
                keyManager,
                in -> asking ? answer(in) : hear(events, Recording.PF_KEY_CLIENT, in),
                privileged(3));
    }

    private static PfkeyCaller privileged(long inode) {
        return new PfkeyCaller(inode, 0, true);
    }

    /** As a kernel, whose call refuses a wrong header; here the preload library does. */
    void send(byte[] message) {
        fillIndex(message);
        Errno fault = message.length < SadbMsg.BYTES
                ? Errno.EMSGSIZE
                : SadbMsg.read(ByteBuffer.wrap(message)).fault(message.length);
        if (fault != null) {
            replies.add(Draft.number(fault.number()));
            return;
        }
        asking = true;
        client.receive(ByteBuffer.wrap(message));
        asking = false;
    }

    private boolean answer(ByteBuffer in) {
        byte[] message = BridgeReplay.copy(in);
        noteIndex(message);
        return replies.add(message);
    }

    private static boolean hear(List<Event> events, int socket, ByteBuffer message) {
        return events.add(new Event(socket, BridgeReplay.copy(message)));
    }

    private void noteIndex(byte[] message) {
        PfkeyText.extensions(message).stream()
                .filter(extension -> extension.number() == SadbExt.X_POLICY.number() && extension.isWhole())
                .forEach(policy -> lastIndex = policy.view().getInt(INDEX_OFFSET));
    }

    private void fillIndex(byte[] message) {
        ByteBuffer words = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
        for (int at = 0; at + Integer.BYTES <= message.length; at += Integer.BYTES) {
            if (words.getInt(at) == PfkeyPayloads.LAST_INDEX) {
                words.putInt(at, lastIndex);
            }
        }
    }

    void close() {
        client.close();
        registered.close();
        plain.close();
    }
}
