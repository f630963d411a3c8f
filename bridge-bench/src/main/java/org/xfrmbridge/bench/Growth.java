package org.xfrmbridge.bench;

import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;
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
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How long lookups take while another thread lets States, exact and prefixed policies grow from a thousand to a million
 * each.
 */
@Command(
        name = "growth",
        description = "Times every lookup while the databases grow, beside a control that does nothing for as long.")
final class Growth implements Callable<Integer> {
    private static final int FIRST = 1000;

    @Option(names = "-n", description = "how many of each in the end (default: ${DEFAULT-VALUE})")
    private int last = 1_000_000;

    @Option(
            names = "--rate",
            description = "how many of each a second, 0 for as fast as it goes (default: ${DEFAULT-VALUE})")
    private int perSecond;

    @Option(names = "--cpu", description = "the CPU for the thread that looks up; without it the scheduler chooses")
    private int cpu = -1;

    @Option(names = "--realtime", description = "with --cpu: that thread goes before all others (SCHED_FIFO), as root")
    private boolean realtime;

    private final Sad sad = new Sad();
    private final Spd spd = new Spd();
    private final Flow flow = new Flow();
    private volatile int loaded;
    private long found;

    @Override
    public Integer call() throws InterruptedException, IOException {
        grow(0, FIRST);
        for (int i = 0; i < 100_000; i++) {
            look(i);
        }
        Thread writer = new Thread(() -> grow(FIRST, last), "writer");
        long start = System.nanoTime();
        writer.start();
        if (cpu >= 0) {
            // Not before: a thread inherits its starter's CPU.
            ThreadUse.command("taskset", "-pc", Integer.toString(cpu));
        }
        if (realtime) {
            ThreadUse.command("chrt", "-f", "-p", "1");
        }
        try (Stalls stalls = new Stalls()) {
            for (int i = 0; loaded < last; i++) {
                long lookStart = System.nanoTime();
                look(i);
                stalls.note(lookStart);
            }
            writer.join();
            System.out.printf("%,d of each in %.1f s, found %,d%n", last, (System.nanoTime() - start) / 1e9, found);
            stalls.print();
        }
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            System.out.printf(
                    "%s: %d times, %d ms%n",
                    collector.getName(), collector.getCollectionCount(), collector.getCollectionTime());
        }
        return 0;
    }

    private void grow(int from, int to) {
        long start = System.nanoTime();
        for (int i = from; i < to; i++) {
            sad.insert(new State(SampleEntries.state(i), Phase.VALID, new Usage(i >> 10)));
            spd.replace(SampleEntries.policy(SampleEntries.Kind.EXACT, i), 0);
            spd.replace(SampleEntries.policy(SampleEntries.Kind.PREFIXED, i), 0);
            loaded = i + 1;
            while (perSecond > 0 && (System.nanoTime() - start) * perSecond < (i - from) * 1_000_000_000L) {
                Thread.onSpinWait();
            }
        }
    }

    /** One of each by turns, for what has long been there. */
    private void look(int turn) {
        int number = (int) ((SampleEntries.scatter(turn) >>> 32) * loaded >>> 32);
        Object result = switch (turn % 3) {
            case 0 ->
                sad.lookup(
                        (long) SampleEntries.peer(number) << 32,
                        0,
                        SampleEntries.spi(number),
                        IpProtocol.ESP,
                        AddressFamily.INET,
                        0);
            case 1 -> policy(SampleEntries.Kind.EXACT, number);
            default -> policy(SampleEntries.Kind.PREFIXED, -1 - number);
        };
        found += result == null ? 0 : 1;
    }

    private Object policy(SampleEntries.Kind kind, int number) {
        SampleEntries.fill(flow, kind, number);
        return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
    }
}
