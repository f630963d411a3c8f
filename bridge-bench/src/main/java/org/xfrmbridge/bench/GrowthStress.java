package org.xfrmbridge.bench;

import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.Usage;

/**
 * How long lookups take while another thread lets the databases grow from 1,000 to 1,000,000 States, exact and prefixed policies. Every
 * lookup is timed, pauses of the collector included. Beside that what remains without the time the thread was ready and had no CPU
 * ({@code run_delay} of schedstat), which on a busy machine or a single core says nothing of the program. Argument: the last number.
 */
public final class GrowthStress {
    private static final int FIRST = 1000;
    private static final int BATCH = 64;
    private static final long SLOW_NS = 50_000;
    private static final Path SCHEDSTAT = Path.of("/proc/thread-self/schedstat");

    private final Sad sad = new Sad();
    private final Spd spd = new Spd();
    private final Flow flow = new Flow();
    private final Histogram wall = new Histogram(3);
    private final Histogram own = new Histogram(3);
    private volatile int loaded;
    private long found;

    public static void main(String[] arguments) throws InterruptedException, IOException {
        new GrowthStress().run(arguments.length == 0 ? 1_000_000 : Integer.parseInt(arguments[0]));
    }

    private void run(int last) throws InterruptedException, IOException {
        grow(0, FIRST);
        for (int i = 0; i < 20_000; i++) {
            look(i);
        }
        Thread writer = new Thread(() -> grow(FIRST, last), "writer");
        long start = System.nanoTime();
        writer.start();
        watch(last);
        writer.join();
        System.out.printf("%,d of each in %.1f s, %,d lookups found %,d%n", last, (System.nanoTime() - start) / 1e9, wall.getTotalCount(), found);
        print("wall clock", wall);
        print("had a CPU", own);
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            System.out.printf("%s: %d times, %d ms%n", collector.getName(), collector.getCollectionCount(), collector.getCollectionTime());
        }
    }

    private void grow(int from, int to) {
        for (int i = from; i < to; i++) {
            sad.insert(new State(Entries.state(i), Phase.VALID, new Usage(i >> 10)));
            spd.replace(Entries.policy(Entries.Kind.EXACT, i), 0);
            spd.replace(Entries.policy(Entries.Kind.PREFIXED, i), 0);
            loaded = i + 1;
        }
    }

    private void watch(int last) throws IOException {
        long waitedNs = runDelayNs();
        for (int i = 0; loaded < last; i++) {
            long start = System.nanoTime();
            look(i);
            long tookNs = System.nanoTime() - start;
            wall.recordValue(tookNs);
            if (tookNs > SLOW_NS || i % BATCH == 0) {
                long now = runDelayNs();
                tookNs = Math.max(0, tookNs - (now - waitedNs));
                waitedNs = now;
            }
            own.recordValue(tookNs);
        }
    }

    /** One of each by turns, for what has long been there. */
    private void look(int turn) {
        int number = (int) ((Entries.scatter(turn) >>> 32) * loaded >>> 32);
        Object result = switch (turn % 3) {
            case 0 -> sad.lookup((long) Entries.peer(number) << 32, 0, Entries.spi(number), IpProtocol.ESP, AddressFamily.INET, 0);
            case 1 -> policy(Entries.Kind.EXACT, number);
            default -> policy(Entries.Kind.PREFIXED, -1 - number);
        };
        found += result == null ? 0 : 1;
    }

    private Object policy(Entries.Kind kind, int number) {
        Entries.fill(flow, kind, number);
        return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
    }

    private static long runDelayNs() throws IOException {
        return Long.parseLong(Files.readString(SCHEDSTAT).split(" ")[1]);
    }

    private static void print(String name, Histogram ns) {
        System.out.printf(
                "%-10s us: median %.2f, 99%% %.2f, 99.9%% %.2f, 99.99%% %.2f, longest %.1f; over 1 ms %d%n", name,
                ns.getValueAtPercentile(50) / 1e3, ns.getValueAtPercentile(99) / 1e3, ns.getValueAtPercentile(99.9) / 1e3,
                ns.getValueAtPercentile(99.99) / 1e3, ns.getMaxValue() / 1e3,
                ns.getTotalCount() - ns.getCountBetweenValues(0, 1_000_000));
    }
}
