package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.it.conformance.Recording.Event;
import org.xfrmbridge.it.conformance.Recording.Exchange;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.nl.EventGroup;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;

/** Sends sequences to the bridge's engine and sessions, in this process, as {@code replay.c} sends them to a kernel. */
final class BridgeReplay {
    private static final int CLIENT_PORT = 4711;
    private static final int LISTENER_PORT = 4712;
    private static final int ALL_GROUPS = 0xff;
    private static final int OPTION_CAP_ACK = 10;
    private static final int OPTION_EXT_ACK = 11;

    private final List<byte[]> replies = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();
    /** Timers run in pauses only: no sequence takes a second of a kernel's time without one. */
    private final PausedClock clock = new PausedClock();

    private final XfrmEngine engine =
            XfrmEngine.builder(new Databases(), clock).random(new Random(1)).build();
    private final PfkeyKeyManager pfkey = new PfkeyKeyManager();
    private final NetlinkSession client;

    BridgeReplay() {
        NetlinkKeyManager keyManager = new NetlinkKeyManager();
        engine.register(keyManager);
        engine.register(pfkey);
        client = new NetlinkSession(engine, keyManager, datagram -> replies.add(copy(datagram)), CLIENT_PORT, true);
        NetlinkSession listener = new NetlinkSession(engine, keyManager, this::hear, LISTENER_PORT, true);
        listener.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.GROUPS, ALL_GROUPS, 0).toBytes()));
    }

    /** With the sender's groups that the preload library would tell. */
    private boolean hear(ByteBuffer datagram) {
        byte[] event = copy(datagram);
        int group = EventGroup.take(ByteBuffer.wrap(event));
        return events.add(new Event(group == 0 ? 0 : 1 << group - 1, event));
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
                case PAUSE -> {
                    clock.advanceMs(request.pauseMs());
                    engine.runTimers();
                }
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
