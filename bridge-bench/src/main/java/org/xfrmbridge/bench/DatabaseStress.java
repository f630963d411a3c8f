package org.xfrmbridge.bench;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * States and policies by the million through the control side, without sockets: loaded, dumped, updated, deleted,
 * flushed, and the heap that each takes at rest; once with fewer before it counts. Argument: how many, 1000000 if none
 * is given.
 */
public final class DatabaseStress {
    private static final int WARMUP = 50_000;
    private static final int CHANGES = 16_000;
    private static final long NS_PER_MS = 1_000_000;

    private final Databases databases = new Databases();
    private final XfrmEngine engine = XfrmEngine.builder(databases, new MachineClock())
            .random(new SplittableRandom(1))
            .build();
    private final int count;
    private boolean print;

    private DatabaseStress(int count) {
        this.count = count;
    }

    public static void main(String[] arguments) throws XfrmException {
        new DatabaseStress(WARMUP).run();
        DatabaseStress stress = new DatabaseStress(arguments.length == 0 ? 1_000_000 : Integer.parseInt(arguments[0]));
        System.out.printf(
                "%-10s %9s %9s %9s %9s %9s %9s %9s%n",
                "database", "entries", "add ns", "dump ms", "update ns", "delete ns", "flush ms", "heap B");
        stress.print = true;
        stress.run();
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
        int dumped = walk(engine.states(state -> true));
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
        int dumped = walk(engine.policies(PolicySpec.Type.MAIN));
        long dumpEnd = System.nanoTime();
        int changes = Math.min(CHANGES, count / 2);
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
            PolicySpec spec = SampleEntries.policy(kind, i);
            PolicyKey key = new PolicyKey(
                    spec.type(),
                    spec.direction(),
                    0,
                    spec.selector(),
                    spec.mark(),
                    spec.ifId(),
                    spec.securityContext());
            if (databases.spd().get(key) != null) {
                engine.deletePolicy(key, Origin.KERNEL);
                deleted++;
            }
        }
        return deleted;
    }

    private static int walk(Dump<?> dump) {
        int count = 0;
        while (dump.next() != null) {
            count++;
        }
        return count;
    }

    /** @param ns what adding all, dumping all, one update, one deletion and flushing took */
    private void print(String name, int entries, long heapBytes, long... ns) {
        if (!print) {
            return;
        }
        System.out.printf(
                "%-10s %9d %9d %9d %9d %9d %9d %9d%n",
                name, entries, ns[0] / count, ns[1] / NS_PER_MS, ns[2], ns[3], ns[4] / NS_PER_MS, heapBytes / entries);
    }

    /** Changes are few and short, so that on a busy machine only the time that the thread ran says something. */
    private static long cpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
