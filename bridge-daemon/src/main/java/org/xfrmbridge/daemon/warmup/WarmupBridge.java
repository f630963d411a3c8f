package org.xfrmbridge.daemon.warmup;

import com.google.common.collect.Lists;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.slf4j.helpers.NOPLogger;
import org.xfrmbridge.daemon.control.BatchClock;
import org.xfrmbridge.daemon.control.EventLog;
import org.xfrmbridge.daemon.journal.PolicyJournal;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.ControlSession;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;
import org.xfrmbridge.time.Clock;

/** Databases of nobody's, wired as a bridge's are, and a client of them. One thread. */
final class WarmupBridge {
    /** Datagrams that a control thread takes in one round from a client that sends fast. */
    private static final int ROUND = 32;

    private final BatchClock clock;
    private final XfrmEngine engine;
    private final PolicyJournal journal;
    private final ControlSession session;

    WarmupBridge(MessageSink sink, Runnable beforeRemoval, Clock real) throws IOException {
        clock = new BatchClock(real);
        engine = XfrmEngine.builder(new Databases(beforeRemoval), clock).build();
        journal = PolicyJournal.keptNowhere(
                engine, Thread.ofPlatform().name("warmup").factory());
        NetlinkKeyManager netlink = new NetlinkKeyManager();
        engine.register(netlink);
        engine.register(new PfkeyKeyManager());
        engine.listen(new EventLog(clock, NOPLogger.NOP_LOGGER));
        session = new NetlinkSession(engine, netlink, sink, 1, true);
    }

    /** All that a control thread does with datagrams of one client. */
    void answer(List<byte[]> datagrams) {
        for (List<byte[]> round : Lists.partition(datagrams, ROUND)) {
            round.forEach(this::receive);
            engine.runTimers();
            journal.flush();
        }
        journal.upkeep();
    }

    private void receive(byte[] datagram) {
        clock.begin();
        session.receive(ByteBuffer.wrap(datagram));
        clock.end();
        while (session.hasBacklog()) {
            session.writable();
        }
    }

    int stateCount() {
        return engine.stateCounts().states();
    }

    int policyCount() {
        return Arrays.stream(engine.policyCounts().global()).sum();
    }

    void end() throws IOException {
        session.close();
        journal.end();
    }
}
