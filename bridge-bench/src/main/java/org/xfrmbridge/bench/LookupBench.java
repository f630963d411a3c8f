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
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.Usage;

/**
 * Time per lookup by number of entries, each lookup for another entry: what a table costs once it fits no cache. The
 * questions are made before and read one after the other, as many whatever the number of entries: what they cost is the
 * same on both sides, and what {@link Table#NOTHING} says.
 */
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
        /**
         * No table: one read of a random place in 128 bytes per entry, each waiting for the one before. What a cache
         * miss costs.
         */
        MEMORY,
        /**
         * Two random reads, which wait for nothing: in 16 bytes per entry and in 8, a table of keys and one of
         * references.
         */
        READS,
        /** The questions alone. */
        NOTHING
    }

    @Param({"STATES", "EXACT", "NETWORKS", "PREFIXED", "PREFIXED6", "FLOWS", "MEMORY", "READS", "NOTHING"})
    public Table table;

    @Param({"1000", "1000000"})
    public int entries;

    private static final int QUESTIONS = 1 << 20;
    private static final int LONGS = 16;
    private static final int KEY_LONGS = 2;

    private final Sad sad = new Sad();
    private final Spd spd = new Spd();
    private final Flow flow = new Flow();
    private final long[] questions = new long[QUESTIONS];
    private FlowCache<String> flows;
    private long[] memory;
    private Object[] references;
    private long read;
    private int next;

    @Setup
    public void fill() {
        SampleEntries.fill(flow, kind(), 0);
        fillTable();
        for (int i = 0; i < QUESTIONS; i++) {
            questions[i] = question((int) ((SampleEntries.scatter(i) >>> 32) * entries >>> 32));
        }
    }

    /** A flow cache has at most 65,536 flows, a fourth of its places. */
    private void fillTable() {
        switch (table) {
            case STATES -> fillStates();
            case FLOWS -> fillFlows();
            case MEMORY -> memory = new long[entries * LONGS];
            case READS -> {
                memory = new long[entries * KEY_LONGS];
                references = new Object[entries];
            }
            case NOTHING -> {}
            default -> {
                for (int i = 0; i < entries; i++) {
                    spd.replace(SampleEntries.policy(kind(), i), 0);
                }
            }
        }
    }

    private void fillStates() {
        for (int i = 0; i < entries; i++) {
            sad.insert(new org.xfrmbridge.xfrm.State(SampleEntries.state(i), Phase.VALID, new Usage(i >> 10)));
        }
    }

    private void fillFlows() {
        entries = Math.min(entries, 1 << 16);
        flows = new FlowCache<>(4 * entries, 1);
        for (int i = 0; i < entries; i++) {
            setAddresses(question(i));
            flows.put(flow, "policy");
        }
    }

    /** Of 64 bits: address and SPI, both addresses of a flow, or a place in memory. */
    private long question(int number) {
        return switch (table) {
            case STATES -> pair(SampleEntries.peer(number), SampleEntries.spi(number));
            case MEMORY, READS, NOTHING -> number;
            // Random addresses: those of the policies themselves would match longer prefixes than flows do.
            case PREFIXED, PREFIXED6 -> addresses(-1 - number);
            case EXACT, NETWORKS, FLOWS -> addresses(number);
        };
    }

    private long addresses(int number) {
        Flow asked = new Flow();
        SampleEntries.fill(asked, kind(), number);
        return pair((int) (asked.daddrHigh >>> 32), (int) (asked.saddrHigh >>> 32));
    }

    private static long pair(int high, int low) {
        return (long) high << 32 | Integer.toUnsignedLong(low);
    }

    private void setAddresses(long pair) {
        flow.daddrHigh = pair & ~0xffffffffL;
        flow.saddrHigh = pair << 32;
    }

    @Benchmark
    public Object lookup() {
        long question = questions[next++ & QUESTIONS - 1];
        return switch (table) {
            case STATES ->
                sad.lookup(question & ~0xffffffffL, 0, (int) question, IpProtocol.ESP, AddressFamily.INET, 0);
            case FLOWS -> {
                setAddresses(question);
                yield flows.get(flow);
            }
            case MEMORY -> {
                read = memory[((int) question ^ (int) read) * LONGS];
                yield null;
            }
            case READS -> memory[(int) question * KEY_LONGS] == 0 ? references[(int) question] : null;
            case EXACT, NETWORKS, PREFIXED, PREFIXED6 -> {
                setAddresses(question);
                yield spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
            }
            case NOTHING -> null;
        };
    }

    private SampleEntries.Kind kind() {
        return switch (table) {
            case PREFIXED -> SampleEntries.Kind.PREFIXED;
            case PREFIXED6 -> SampleEntries.Kind.PREFIXED6;
            case NETWORKS -> SampleEntries.Kind.NETWORKS;
            default -> SampleEntries.Kind.EXACT;
        };
    }
}
