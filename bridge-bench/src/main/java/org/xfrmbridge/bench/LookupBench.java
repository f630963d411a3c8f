package org.xfrmbridge.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.Usage;

/** Time per lookup by number of entries, each lookup for another entry: what a table costs once it fits no cache. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class LookupBench {
    /** What is asked. */
    public enum Table {
        STATES,
        EXACT,
        NETWORKS,
        PREFIXED,
        PREFIXED6,
        FLOWS,
        /** No table: one read of a random place in 128 bytes per entry, each waiting for the one before. What a cache miss costs. */
        MEMORY,
        /** One such read of 24 bytes per entry, as large as a table of keys, which waits for nothing. */
        READS
    }

    @Param({"STATES", "EXACT", "NETWORKS", "PREFIXED", "PREFIXED6", "FLOWS", "MEMORY", "READS"})
    public Table table;

    @Param({"1000", "1000000"})
    public int entries;

    private static final int LONGS = 16;
    private static final int TABLE_LONGS = 3;

    private final Sad sad = new Sad();
    private final Spd spd = new Spd();
    private final Flow flow = new Flow();
    private FlowCache<String> flows;
    private long[] memory;
    private long read;
    private int next;

    /** A flow cache has at most 65,536 flows, a fourth of its places. */
    @Setup
    public void fill() {
        switch (table) {
            case STATES -> fillStates();
            case FLOWS -> fillFlows();
            case MEMORY -> memory = new long[entries * LONGS];
            case READS -> memory = new long[entries * TABLE_LONGS];
            default -> {
                for (int i = 0; i < entries; i++) {
                    spd.replace(Entries.policy(kind(), i), 0);
                }
            }
        }
    }

    private void fillStates() {
        for (int i = 0; i < entries; i++) {
            sad.insert(new org.xfrmbridge.xfrm.State(Entries.state(i), Phase.VALID, new Usage(i >> 10)));
        }
    }

    private void fillFlows() {
        entries = Math.min(entries, 1 << 16);
        flows = new FlowCache<>(4 * entries, 1);
        for (int i = 0; i < entries; i++) {
            Entries.fill(flow, Entries.Kind.EXACT, i);
            flows.put(flow, "policy");
        }
    }

    @Benchmark
    public Object lookup() {
        int number = (int) ((Entries.scatter(next++ + read) >>> 32) * entries >>> 32);
        return switch (table) {
            case STATES -> state(number);
            case FLOWS -> {
                Entries.fill(flow, Entries.Kind.EXACT, number);
                yield flows.get(flow);
            }
            case MEMORY -> {
                read = memory[number * LONGS];
                yield null;
            }
            case READS -> memory[number * TABLE_LONGS];
            case EXACT, NETWORKS -> policy(number);
            // Random addresses: those of the policies themselves would match longer prefixes than flows do.
            case PREFIXED, PREFIXED6 -> policy(-1 - number);
        };
    }

    private Object state(int number) {
        long daddrHigh = (long) Entries.peer(number) << 32;
        return sad.lookup(daddrHigh, 0, Entries.spi(number), IpProtocol.ESP, AddressFamily.INET, 0);
    }

    private Policy policy(int number) {
        Entries.fill(flow, kind(), number);
        return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
    }

    private Entries.Kind kind() {
        return switch (table) {
            case EXACT -> Entries.Kind.EXACT;
            case NETWORKS -> Entries.Kind.NETWORKS;
            case PREFIXED6 -> Entries.Kind.PREFIXED6;
            default -> Entries.Kind.PREFIXED;
        };
    }
}
