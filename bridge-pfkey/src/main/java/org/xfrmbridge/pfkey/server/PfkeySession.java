package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.io.QueuedSession;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.ExpiryListener;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.State;

/**
 * The kernel's end of one client's PF_KEY socket. News of what others do is dropped, silently as in a kernel, when too
 * much of it waits. Control thread only.
 */
public final class PfkeySession extends QueuedSession implements ExpiryListener {
    /** Messages of a dump made in one turn. */
    private static final int TURN_MESSAGES = 256;

    private final XfrmService service;
    private final PfkeyKeyManager keyManager;
    private final Dispatcher dispatcher;
    private final PfkeyCaller client;
    private ActiveDump<?> dump;
    private int registered;
    private boolean promiscuous;

    /**
     * A session of a client that just connected: it hears what all do at once, and what registered ones do when it is.
     */
    public PfkeySession(XfrmService service, PfkeyKeyManager keyManager, MessageSink sink, PfkeyCaller client) {
        super(sink);
        this.service = service;
        this.keyManager = keyManager;
        this.dispatcher = new Dispatcher(service, keyManager);
        this.client = client;
        queue.hideLosses();
        if (client.privileged()) {
            keyManager.add(this);
        }
    }

    /**
     * As in the kernel, the right to ask was had by who opened the socket ({@code pfkey_create}): who sends does not
     * matter.
     */
    @Override
    public void receive(ByteBuffer datagram, boolean trusted) {
        ByteBuffer message = datagram.duplicate();
        datagram.position(datagram.limit());
        if (ControlFrame.isControl(message)) {
            control(ControlFrame.read(message));
        } else {
            take(message);
        }
    }

    @Override
    public void resume(ByteBuffer rest, boolean trusted) {
        throw new IllegalStateException("a datagram is one message");
    }

    /** EMSGSIZE, as {@code pfkey_sendmsg} would have said it to the sender. */
    @Override
    public void refuse(ByteBuffer start) {
        if (start.remaining() >= SadbMsg.BYTES && !ControlFrame.isControl(start)) {
            answer(SadbMsg.read(start).answeredWith(Errno.EMSGSIZE.number()).toBytes());
        }
    }

    private void take(ByteBuffer datagram) {
        // Without a header there is nobody to answer.
        if (datagram.remaining() < SadbMsg.BYTES) {
            return;
        }
        SadbMsg request = SadbMsg.read(datagram);
        long begun = keyManager.requests().begin();
        int errno = 0;
        keyManager.serving(this);
        try {
            handle(request, datagram);
        } catch (XfrmException e) {
            errno = e.errno().number();
            answer(request.answeredWith(errno).toBytes());
        } finally {
            keyManager.serving(null);
        }
        keyManager.requests().end(begun, request.type(), errno);
        pump();
    }

    /**
     * Of a bad header a kernel says so in the call that sends it: the preload library does, and this is for who comes
     * without it.
     */
    private void handle(SadbMsg request, ByteBuffer datagram) throws XfrmException {
        Errno fault = client.privileged() ? request.fault(datagram.remaining()) : Errno.EPERM;
        if (fault != null) {
            throw new XfrmException(fault);
        }
        byte[] copy = new byte[datagram.remaining()];
        datagram.get(datagram.position(), copy);
        keyManager.broadcast(copy, BroadcastScope.NOBODY, null);
        dispatcher.dispatch(new Request(this, request, Extensions.parse(datagram), datagram));
    }

    @Override
    protected boolean isDumping() {
        return dump != null;
    }

    /** Whether it wants to hear of what others do, beyond what every socket hears. */
    @Override
    public boolean isListening() {
        return isRegistered() || promiscuous;
    }

    @Override
    public void close() {
        keyManager.remove(this);
        if (dump != null) {
            dump.end();
            dump = null;
        }
        registered = 0;
        promiscuous = false;
        super.close();
    }

    @Override
    public void expired(State state, boolean hard) {
        keyManager.tellExpiry(state, hard, this);
    }

    private void control(ControlFrame frame) {
        switch (frame == null ? 0 : frame.op()) {
            case ControlFrame.BUFFER -> queue.setBuffer(frame.first());
            case ControlFrame.REGISTER -> {
                if (client.privileged() && frame.first() > Satype.UNSPEC && frame.first() <= Satype.MAX) {
                    register(1 << frame.first());
                }
            }
            default -> {}
        }
    }

    @Override
    protected void pump() {
        for (int i = 0; i < TURN_MESSAGES && queue.flush() && dump != null; i++) {
            byte[] message = dump.next();
            if (message == null) {
                dump = null;
            } else {
                answer(message);
            }
        }
    }

    PfkeyCaller client() {
        return client;
    }

    /** @throws XfrmException EEXIST if it is already */
    void registerOnce(int satype) throws XfrmException {
        int bit = 1 << satype;
        if ((registered & bit) != 0) {
            throw new XfrmException(Errno.EEXIST);
        }
        register(bit);
    }

    private void register(int bits) {
        boolean listensAnew = !isRegistered();
        registered |= bits;
        if (listensAnew) {
            service.listen(this);
        }
    }

    boolean isRegistered() {
        return registered != 0;
    }

    void setPromiscuous(boolean value) {
        promiscuous = value;
    }

    boolean isPromiscuous() {
        return promiscuous;
    }

    void start(ActiveDump<?> newDump) {
        dump = newDump;
    }

    /** To this client, and to promiscuous ones. Takes over the array. */
    void answer(byte[] message) {
        keyManager.broadcast(message, BroadcastScope.NOBODY, this);
    }

    /** Takes over the array. */
    void reply(byte[] message) {
        queue.sendReply(message);
    }

    /** Whether it would get news; if not, that is lost. */
    boolean takesEvent() {
        return queue.takesEvent();
    }

    /** Takes over the array. */
    void event(byte[] message) {
        queue.sendEvent(message);
    }
}
