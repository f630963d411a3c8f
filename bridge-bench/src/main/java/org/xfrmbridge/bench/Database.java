package org.xfrmbridge.bench;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateSpec;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * States and policies by the million through the control side, without packets: loaded, dumped, updated, deleted,
 * flushed, and the heap that each takes at rest; once with fewer before it counts.
 */
@Command(
        name = "database",
        description = "Loads, dumps, changes and flushes each kind of entry, and shows the heap it takes.")
final class Database implements Callable<Integer> {
    private static final int WARM_UP = 50_000;
    private static final long NS_PER_MS = 1_000_000;

    @Option(names = "-n", description = "how many of each kind (default: ${DEFAULT-VALUE})")
    private int entries = 1_000_000;

    private final Databases databases = new Databases();
    private final XfrmEngine engine = XfrmEngine.builder(databases, new MachineClock())
            .random(new SplittableRandom(1))
            .build();
    private int count;
    private boolean print;

    @Override
    public Integer call() throws XfrmException {
        count = WARM_UP;
        run();
        System.out.printf(
                "%-10s %9s %9s %9s %9s %9s %9s %9s%n",
                "database", "entries", "add ns", "dump ms", "update ns", "delete ns", "flush ms", "heap B");
        count = entries;
        print = true;
        run();
        return 0;
    }

    private void run() throws XfrmException {
        states("gcm", SampleEntries::state);
        states("cbc+hmac", SampleEntries::cbcState);
        for (SampleEntries.Kind kind : SampleEntries.Kind.values()) {
            policies(kind);
        }
    }

    private void states(String name, IntFunction<StateSpec> specs) throws XfrmException {
        long heapBefore = Report.usedHeapBytes();
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            engine.addState(specs.apply(i), Origin.KERNEL);
        }
        long added = System.nanoTime();
        long heap = Report.usedHeapBytes() - heapBefore;
        long dumpStart = System.nanoTime();
        int dumped = Program.walk(engine.states(state -> true));
        long dumpEnd = System.nanoTime();
        engine.flushStates(IpProtocol.IPSEC_ANY, Origin.KERNEL);
        long flushed = System.nanoTime();
        print(name, dumped, heap, added - start, dumpEnd - dumpStart, 0, 0, flushed - dumpEnd);
    }

    private void policies(SampleEntries.Kind kind) throws XfrmException {
        long heapBefore = Report.usedHeapBytes();
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            engine.addPolicy(SampleEntries.policy(kind, i), false, Origin.KERNEL);
        }
        long added = System.nanoTime();
        long heap = Report.usedHeapBytes() - heapBefore;
        long dumpStart = System.nanoTime();
        int dumped = Program.walk(engine.policies(PolicySpec.Type.MAIN));
        long dumpEnd = System.nanoTime();
        int changes = Math.min(Program.CHANGES, count / 2);
        long changesStart = cpuNs();
        for (int i = 0; i < changes; i++) {
            engine.addPolicy(SampleEntries.policy(kind, i), false, Origin.KERNEL);
        }
        long updated = cpuNs();
        int deleted = delete(kind, changes);
        long deleteNs = (cpuNs() - updated) / deleted;
        long flushStart = System.nanoTime();
        engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        long flushed = System.nanoTime();
        String name = kind.name().toLowerCase(Locale.ROOT);
        long updateNs = (updated - changesStart) / changes;
        print(name, dumped, heap, added - start, dumpEnd - dumpStart, updateNs, deleteNs, flushed - flushStart);
    }

    /** Random policies of short prefixes may be the same one. */
    private int delete(SampleEntries.Kind kind, int changes) throws XfrmException {
        int deleted = 0;
        for (int i = 0; i < changes; i++) {
            PolicyKey key = TransportEntries.key(SampleEntries.policy(kind, i));
            if (databases.spd().get(key) != null) {
                engine.deletePolicy(key, Origin.KERNEL);
                deleted++;
            }
        }
        return deleted;
    }

    /** @param ns what adding all, dumping all, one update, one deletion and flushing took */
    private void print(String name, int dumped, long heapBytes, long... ns) {
        if (!print) {
            return;
        }
        System.out.printf(
                "%-10s %9d %9d %9d %9d %9d %9d %9d%n",
                name, dumped, ns[0] / count, ns[1] / NS_PER_MS, ns[2], ns[3], ns[4] / NS_PER_MS, heapBytes / dumped);
    }

    /** Changes are few and short, so that on a busy machine only the time that the thread ran says something. */
    private static long cpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
