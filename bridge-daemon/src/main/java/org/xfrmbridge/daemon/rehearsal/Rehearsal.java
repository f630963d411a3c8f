package org.xfrmbridge.daemon.rehearsal;

import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.time.Clock;

/**
 * What IKE daemons ask, asked again and again of databases that nobody sees, until it runs as compiled code: a client that comes later is
 * answered five times as fast, and need not wait for the first use of the JDK's ciphers. Costs some two seconds of CPU time, most of it
 * the compiler's, and gives way to whoever wants the core. Everything it made is gone when it ends. In a thread of its own.
 *
 * <p>Compiled code expects the classes that it has seen. So all of them are those that a bridge has, and where a bridge has one of its
 * own, there are three here: for that many kinds the compiler expects any.
 */
public final class Rehearsal implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);

    private static final int ACTS = 60;
    private static final int ENTRIES = 256;
    private static final int BATCH = 64;

    /** On a machine with other things to do it ends unfinished. */
    private static final long LIMIT_NS = 10_000_000_000L;

    /** Reads of a page, which is answered message by message, and reads that take many. */
    private static final int[] ROOMS = {4096, 65536};

    /** A client that reads slowly takes one datagram less in so many. */
    private static final int SLOW = 16;

    private final Clock clock;
    private int sent;

    public Rehearsal(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void run() {
        long startNs = clock.nowNs();
        try {
            CurrentProcess.lowerThreadPriority();
            int acts = play(startNs + LIMIT_NS);
            LOG.debug("rehearsed {} acts in {} ms", acts, (clock.nowNs() - startNs) / 1_000_000);
        } catch (OsException e) {
            LOG.warn("no rehearsal, the first clients will be answered slowly: {}", e.getMessage());
        } catch (IOException e) {
            LOG.warn("the rehearsal was broken off: {}", e.getMessage());
        }
    }

    private int play(long deadlineNs) throws IOException {
        List<Stage> stages = List.of(
                new Stage(datagram -> true, () -> {}, clock),
                new Stage(datagram -> datagram.hasRemaining(), () -> sent = 0, clock),
                new Stage(datagram -> ++sent % SLOW != 0, () -> sent++, clock));
        List<List<byte[]>> scripts = List.of(
                Requests.datagrams(ENTRIES, BATCH, 0),
                Requests.datagrams(ENTRIES, BATCH, NetlinkHeader.ACK),
                Requests.datagrams(ENTRIES / 4, 1, NetlinkHeader.ACK),
                Requests.datagrams(ENTRIES, BATCH, 0));
        int act = 0;
        for (; act < ACTS && clock.nowNs() - deadlineNs < 0; act++) {
            Stage stage = stages.get(act % stages.size());
            stage.play(List.of(Requests.room(ROOMS[act * ROOMS.length / ACTS])));
            stage.play(scripts.get(act % scripts.size()));
        }
        for (Stage stage : stages) {
            stage.end();
        }
        return act;
    }
}
