package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.io.QueuedSession;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.ExpiryListener;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Fault;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Options;
import org.xfrmbridge.netlink.nl.NetlinkException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.State;

/** The kernel's end of one client's NETLINK_XFRM socket. Control thread only. */
public final class NetlinkSession extends QueuedSession implements ExpiryListener {
    // SOL_NETLINK options that matter here (linux/netlink.h)
    private static final int OPTION_NO_ENOBUFS = 5;
    private static final int OPTION_CAP_ACK = 10;
    private static final int OPTION_EXT_ACK = 11;

    /** Requests handled in one turn: 5 us each, for most. */
    private static final int TURN_REQUESTS = 128;

    /** Datagrams of a dump made in one turn. */
    private static final int TURN_DATAGRAMS = 32;

    /** Of who may not ask no longer request is repeated with its refusal: its buffer is small. */
    private static final int MOST_REPEATED_BYTES = 4096;

    private final XfrmService service;
    private final NetlinkKeyManager keyManager;
    private final Dispatcher dispatcher;
    private final ReplyBuffer replies;
    private final int portId;
    private final boolean privileged;
    private Options options = Options.NONE;
    private ActiveDump<?> dump;
    private boolean unfinished;
    private int groups;

    /**
     * A session of a client that just connected; it hears of events as soon as it joins groups.
     *
     * @param portId {@code nl_pid} of the client's socket, unsigned
     * @param privileged whether it has CAP_NET_ADMIN over the bridge: without, every request is refused with EPERM
     */
    public NetlinkSession(
            XfrmService service, NetlinkKeyManager keyManager, MessageSink sink, int portId, boolean privileged) {
        super(sink);
        this.service = service;
        this.keyManager = keyManager;
        this.dispatcher = keyManager.dispatcher(service);
        this.replies = new ReplyBuffer(queue);
        this.portId = portId;
        this.privileged = privileged;
        keyManager.add(this);
    }

    @Override
    public void receive(ByteBuffer datagram, boolean trusted) {
        if (ControlFrame.isControl(datagram)) {
            control(ControlFrame.read(datagram), privileged && trusted);
            datagram.position(datagram.limit());
        } else {
            resume(datagram, trusted);
        }
    }

    /** What the client does not read is not added to. A kernel would throw the answers away. */
    @Override
    public void resume(ByteBuffer rest, boolean trusted) {
        Request request = new Request(new NetlinkReader(rest), this, privileged && trusted);
        NetlinkReader message = request.message();
        // Should a message be a fault of ours, it and what is behind it are not met again.
        rest.position(rest.limit());
        unfinished = false;
        try {
            boolean more = true;
            for (int i = 0; more && i < TURN_REQUESTS && (i == 0 || queue.flush()); i++) {
                more = message.next();
                if (more) {
                    long begun = keyManager.requests().begin();
                    int errno = handle(request);
                    keyManager.requests().end(begun, message.type(), errno);
                }
            }
            rest.position(more ? message.nextOffset() : rest.limit());
            unfinished = rest.hasRemaining();
        } finally {
            replies.send();
        }
        pump();
    }

    /** EMSGSIZE, as {@code netlink_sendmsg} would have said it to the sender. */
    @Override
    public void refuse(ByteBuffer start) {
        if (start.remaining() >= NetlinkHeader.BYTES && !ControlFrame.isControl(start)) {
            NetlinkErrors.refuse(replies.writer(), start, portId, Errno.EMSGSIZE);
            replies.complete();
            pump();
        }
    }

    @Override
    protected boolean isDumping() {
        return dump != null;
    }

    /** Whether it joined a group. */
    @Override
    public boolean isListening() {
        return groups != 0;
    }

    @Override
    public void close() {
        keyManager.remove(this);
        dump = null;
        groups = 0;
        super.close();
    }

    @Override
    public void expired(State state, boolean hard) {
        keyManager.tellExpiry(state, hard, this);
    }

    private void control(ControlFrame frame, boolean mayJoin) {
        switch (frame == null ? 0 : frame.op()) {
            case ControlFrame.ROOM -> replies.setRoom(frame.first());
            case ControlFrame.BUFFER -> queue.setBuffer(frame.first());
            case ControlFrame.GROUPS -> join(frame.first(), mayJoin);
            case ControlFrame.JOIN -> join(groups | bit(frame.first()), mayJoin);
            case ControlFrame.LEAVE -> join(groups & ~bit(frame.first()), mayJoin);
            case ControlFrame.OPTION -> setOption(frame.first(), frame.second());
            default -> {}
        }
    }

    /**
     * As in the kernel, where joining a group of NETLINK_XFRM is refused without CAP_NET_ADMIN; anybody may leave one.
     */
    private void join(int newGroups, boolean mayJoin) {
        if (mayJoin || (newGroups & ~groups) == 0) {
            boolean listensAnew = !isMember(XfrmMessage.GROUP_EXPIRE);
            groups = newGroups;
            keyManager.membershipChanged();
            if (listensAnew && isMember(XfrmMessage.GROUP_EXPIRE)) {
                service.listen(this);
            }
        }
    }

    private static int bit(int group) {
        return group >= 1 && group <= Integer.SIZE ? 1 << (group - 1) : 0;
    }

    private void setOption(int option, int value) {
        boolean on = value != 0;
        switch (option) {
            case OPTION_CAP_ACK -> options = new Options(on, options.extAck());
            case OPTION_EXT_ACK -> options = new Options(options.capAck(), on);
            case OPTION_NO_ENOBUFS -> {
                if (on) {
                    queue.hideLosses();
                } else {
                    queue.tellLosses();
                }
            }
            default -> {}
        }
    }

    /**
     * {@code netlink_rcv_skb}: only requests are acted on, but an acknowledgement is given for anything that asks for
     * one. Returns the errno of its answer, 0 for none.
     */
    private int handle(Request request) {
        NetlinkReader message = request.message();
        Fault fault = null;
        if (message.has(NetlinkHeader.REQUEST) && message.type() >= NetlinkHeader.FIRST_PROTOCOL_TYPE) {
            if (!isDump(message) || !request.privileged()) {
                fault = dispatcher.dispatch(request);
            } else if (dump != null) {
                fault = Fault.of(Errno.EBUSY, null);
            } else {
                startDump(message);
                return 0;
            }
        }
        if (message.has(NetlinkHeader.ACK) || fault != null && fault.errno() != 0) {
            acknowledge(request, fault);
        }
        return fault == null ? 0 : fault.errno();
    }

    private void acknowledge(Request request, Fault fault) {
        replies.discard();
        if (fault == null) {
            NetlinkErrors.acknowledge(replies.writer(), request.message(), portId);
        } else {
            NetlinkErrors.write(replies.writer(), request.message(), portId, fault, optionsFor(request));
        }
        replies.complete();
    }

    private Options optionsFor(Request request) {
        boolean repeats = privileged || request.message().lengthBytes() <= MOST_REPEATED_BYTES;
        return repeats ? options : new Options(true, options.extAck());
    }

    private static boolean isDump(NetlinkReader message) {
        return message.has(NetlinkHeader.DUMP)
                && (message.type() == XfrmMessage.GETSA || message.type() == XfrmMessage.GETPOLICY);
    }

    /** NLMSG_DONE is its only acknowledgement, also of what was wrong with it. */
    private void startDump(NetlinkReader message) {
        try {
            dump = message.type() == XfrmMessage.GETSA
                    ? Dumps.states(service, message, portId)
                    : Dumps.policies(service, message, portId);
        } catch (NetlinkException e) {
            dump = ActiveDump.refused(message.sequence(), portId, e);
        }
        // Its first datagram comes before the answer to the next message of this one, all others behind.
        replies.send();
        if (queue.isEmpty()) {
            continueDump();
        }
    }

    /** A dump goes on behind the answers to what came with the request for it, too. */
    @Override
    protected void pump() {
        replies.send();
        for (int i = 0; i < TURN_DATAGRAMS && queue.flush() && dump != null && !unfinished; i++) {
            continueDump();
        }
    }

    private void continueDump() {
        if (dump.fill(replies.writer(), replies.limitBytes(), options)) {
            replies.complete();
            replies.send();
        }
        if (dump.isDone()) {
            dump = null;
        }
    }

    int portId() {
        return portId;
    }

    ReplyBuffer replies() {
        return replies;
    }

    boolean isMember(int group) {
        return (groups & bit(group)) != 0;
    }

    /** Whether it would get an event; if not, that counts as lost. */
    boolean takesEvent() {
        replies.send();
        return queue.takesEvent();
    }

    /** The memory stays the caller's. */
    void event(ByteBuffer datagram) {
        queue.sendEvent(datagram);
    }
}
