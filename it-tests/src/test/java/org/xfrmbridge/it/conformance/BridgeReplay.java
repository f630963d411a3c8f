package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.xfrmbridge.daemon.SystemClock;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.it.conformance.Recording.Event;
import org.xfrmbridge.it.conformance.Recording.Exchange;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.server.NetlinkCaller;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;

/** Sends sequences to the bridge's engine and sessions, in this process, as {@code replay.c} sends them to a kernel. */
final class BridgeReplay {
    private static final int CLIENT_PORT = 4711;
    private static final int LISTENER_PORT = 4712;
    private static final int GROUPS = 8;
    private static final int OPTION_CAP_ACK = 10;
    private static final int OPTION_EXT_ACK = 11;

    private final List<byte[]> replies = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();
    /** Timers never fire: nobody runs them here, and no sequence takes a second of a kernel's time. */
    private final XfrmEngine engine = new XfrmEngine(new Sad(), new Spd(), new SystemClock(), new Random(1), () -> {});
    private final PfkeyKeyManager pfkey = new PfkeyKeyManager();
    private final NetlinkSession client;

    BridgeReplay() {
        NetlinkKeyManager keyManager = new NetlinkKeyManager();
        engine.register(keyManager);
        engine.register(pfkey);
        client = new NetlinkSession(engine, keyManager, datagram -> replies.add(copy(datagram)), new NetlinkCaller(CLIENT_PORT, true));
        for (int group = 1; group <= GROUPS; group++) {
            int joined = group;
            NetlinkSession listener = new NetlinkSession(
                    engine,
                    keyManager,
                    datagram -> events.add(new Event(joined, copy(datagram))),
                    new NetlinkCaller(LISTENER_PORT + group, true));
            listener.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.JOIN, joined, 0).toBytes()));
        }
    }

    static byte[] copy(ByteBuffer datagram) {
        byte[] bytes = new byte[datagram.remaining()];
        datagram.get(bytes);
        return bytes;
    }

    Recording replay(Sequence sequence) {
        Sequence.RESET.forEach(datagram -> client.receive(ByteBuffer.wrap(datagram)));
        setOption(OPTION_CAP_ACK, sequence.capAck());
        setOption(OPTION_EXT_ACK, sequence.extAck());
        PfkeySockets sockets = sequence.uses(Protocol.PF_KEY) ? new PfkeySockets(engine, pfkey, replies, events) : null;
        List<Exchange> exchanges = new ArrayList<>();
        for (Datagram request : sequence.datagrams()) {
            replies.clear();
            events.clear();
            switch (request.protocol()) {
                case NETLINK -> client.receive(ByteBuffer.wrap(request.bytes().clone()));
                case PF_KEY -> sockets.send(request.bytes().clone());
            }
            exchanges.add(new Exchange(request, List.copyOf(replies), List.copyOf(events)));
        }
        if (sockets != null) {
            sockets.close();
        }
        return new Recording(sequence, exchanges);
    }

    private void setOption(int option, boolean on) {
        client.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.OPTION, option, on ? 1 : 0).toBytes()));
    }
}
