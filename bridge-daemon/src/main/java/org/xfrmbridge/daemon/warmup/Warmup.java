package org.xfrmbridge.daemon.warmup;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.time.Clock;

/**
 * What IKE daemons ask, asked again and again of databases that nobody sees, until it runs as compiled code: a client
 * that comes later is answered five times as fast, and need not wait for the first use of the JDK's ciphers. Costs some
 * three seconds of CPU time, most of it the compiler's, and gives way to whoever wants the core. Everything it made is
 * gone when it ends. In a thread of its own.
 *
 * <p>Compiled code expects the classes that it has seen. So all of them are those that a bridge has, and where a bridge
 * has one of its own, there are three here: for that many kinds the compiler expects any. What it guessed wrong shows
 * when its last code runs, and is made anew: hence the repeats, once the compiler has had its time. The last one ends
 * with a collection, so that the first client finds an eden with room, whose pages have all been touched.
 */
public final class Warmup implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Warmup.class);

    private static final int ROUNDS = 60;
    private static final int REPEATS = 2;
    private static final int ROUNDS_OF_REPEAT = 12;
    private static final int MOST_ROUNDS = 150;
    private static final Duration COMPILATION = Duration.ofMillis(700);

    private static final int ENTRIES = 256;
    private static final int BATCH = 64;

    /** On a machine with other things to do it ends unfinished. */
    private static final long LIMIT_NS = 10_000_000_000L;

    /** Reads of a page, which is answered message by message, and reads that take many. */
    private static final int SMALL_ROOM = 4096;

    private static final int LARGE_ROOM = 65536;

    /** A client that reads slowly takes one datagram less in so many. */
    private static final int SLOW = 16;

    private final Clock clock;
    private List<WarmupBridge> bridges;
    private List<List<byte[]>> requests;
    private long deadlineNs;
    private int rounds;
    private int sent;

    public Warmup(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void run() {
        long startNs = clock.nowNs();
        deadlineNs = startNs + LIMIT_NS;
        try {
            CurrentProcess.lowerThreadPriority();
            runRounds();
            LOG.debug("warmed up by {} rounds of requests in {} ms", rounds, (clock.nowNs() - startNs) / 1_000_000);
        } catch (OsException e) {
            LOG.warn("no warm-up, the first clients will be answered slowly: {}", e.getMessage());
        } catch (IOException e) {
            LOG.warn("the warm-up was broken off: {}", e.getMessage());
        }
    }

    private void runRounds() throws IOException {
        bridges = List.of(
                new WarmupBridge(datagram -> true, () -> {}, clock),
                new WarmupBridge(datagram -> datagram.hasRemaining(), () -> sent = 0, clock),
                new WarmupBridge(datagram -> ++sent % SLOW != 0, () -> sent++, clock));
        requests = List.of(
                WarmupRequests.datagrams(ENTRIES, BATCH, 0),
                WarmupRequests.datagrams(ENTRIES, BATCH, NetlinkHeader.ACK),
                WarmupRequests.datagrams(ENTRIES / 4, 1, NetlinkHeader.ACK),
                WarmupRequests.datagrams(ENTRIES, BATCH, 0));
        rounds(ROUNDS / 2, SMALL_ROOM);
        rounds(ROUNDS / 2, LARGE_ROOM);
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            Uninterruptibles.sleepUninterruptibly(COMPILATION);
            rounds(ROUNDS_OF_REPEAT, LARGE_ROOM);
        }
        long before = collections();
        while (collections() == before && rounds < MOST_ROUNDS && hasTime()) {
            rounds(1, LARGE_ROOM);
        }
        for (WarmupBridge bridge : bridges) {
            bridge.end();
        }
    }

    private void rounds(int number, int roomBytes) {
        for (int i = 0; i < number && hasTime(); i++, rounds++) {
            WarmupBridge bridge = bridges.get(rounds % bridges.size());
            bridge.answer(List.of(WarmupRequests.room(roomBytes)));
            bridge.answer(requests.get(rounds % requests.size()));
        }
    }

    private boolean hasTime() {
        return clock.nowNs() - deadlineNs < 0;
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }
}
