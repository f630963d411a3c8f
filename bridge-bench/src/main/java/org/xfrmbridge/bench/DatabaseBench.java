package org.xfrmbridge.bench;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

/**
 * Insert rates and lookup times of the databases by number of entries: States by Spi, exact policies, policies with prefixes of
 * random lengths on both sides and random priorities, hits of the flow cache. Each size is loaded three times, the last one counts; flows are
 * prepared outside of the measured loop, 65,536 of them, so that policies are looked up by no more flows than that. Arguments: the sizes; 1000 100000 1000000 if none are given.
 */
public final class DatabaseBench {
    private static final int ROUNDS = 3;
    private static final int LOOKUPS = 1 << 20;
    private static final int FLOWS = 1 << 16;

    private final int entries;
    private final SplittableRandom random = new SplittableRandom(7);
    private final Flow[] flows = new Flow[FLOWS];
    private long found;

    private DatabaseBench(int entries) {
        this.entries = entries;
    }

    public static void main(String[] arguments) {
        String[] sizes = arguments.length == 0 ? new String[] {"1000", "100000", "1000000"} : arguments;
        System.out.printf("%-28s %10s %12s %10s%n", "database", "entries", "inserts/s", "lookup ns");
        for (String size : sizes) {
            int entries = Integer.parseInt(size);
            for (int round = 1; round <= ROUNDS; round++) {
                boolean counts = round == ROUNDS;
                new DatabaseBench(entries).states(counts);
                new DatabaseBench(entries).exactPolicies(counts);
                new DatabaseBench(entries).prefixedPolicies(counts);
                new DatabaseBench(entries).flowCache(counts);
            }
        }
    }

    private void states(boolean counts) {
        Sad sad = new Sad();
        State[] states = new State[entries];
        for (int i = 0; i < entries; i++) {
            StateSpec.Builder spec = StateSpec.builder();
            spec.family = AddressFamily.INET;
            spec.mode = Mode.TUNNEL;
            spec.id = new StateId(Address.ofIpv4(0x0a000000 + i / 16), 0xc0000000 + i, IpProtocol.ESP);
            spec.saddr = Address.ofIpv4(0x0b000001);
            states[i] = new State(spec.build(), Phase.VALID, new Usage(i >> 10));
        }
        long insertNs = time(entries, i -> sad.insert(states[i]));
        int[] order = random.ints(LOOKUPS, 0, entries).toArray();
        long lookupNs = time(LOOKUPS, i -> {
            int number = order[i];
            long daddrHigh = (0x0a000000L + number / 16) << 32;
            found += sad.lookup(daddrHigh, 0, 0xc0000000 + number, IpProtocol.ESP, AddressFamily.INET, 0) != null ? 1 : 0;
        });
        report(counts, "states by spi", insertNs, lookupNs);
    }

    private void exactPolicies(boolean counts) {
        PolicySpec[] specs = new PolicySpec[entries];
        for (int i = 0; i < entries; i++) {
            specs[i] = policy(0x0a000000 + i, 32, 0x0b000000 + i, 32, 0);
        }
        for (int i = 0; i < FLOWS; i++) {
            int number = random.nextInt(entries);
            flows[i] = flow(0x0a000000 + number, 0x0b000000 + number);
        }
        policies(counts, "exact policies", specs);
    }

    private void prefixedPolicies(boolean counts) {
        PolicySpec[] specs = new PolicySpec[entries];
        for (int i = 0; i < entries; i++) {
            int daddrPrefix = random.nextInt(33);
            int saddrPrefix = random.nextInt(33);
            specs[i] = policy(random.nextInt(), daddrPrefix, random.nextInt(), saddrPrefix, random.nextInt());
        }
        for (int i = 0; i < FLOWS; i++) {
            flows[i] = flow(random.nextInt(), random.nextInt());
        }
        policies(counts, "prefixed policies", specs);
    }

    private void policies(boolean counts, String name, PolicySpec[] specs) {
        Spd spd = new Spd();
        Policy[] installed = new Policy[entries];
        long insertNs = time(entries, i -> installed[i] = spd.replace(specs[i], 0));
        long lookupNs = time(LOOKUPS, i -> {
            Flow flow = flows[i & FLOWS - 1];
            found += spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow) != null ? 1 : 0;
        });
        report(counts, name, insertNs, lookupNs);
        long removeNs = time(entries, i -> {
            if (!installed[i].isDead()) {
                spd.remove(installed[i]);
            }
        });
        report(counts, name + ", removed", removeNs, 0);
    }

    private void flowCache(boolean counts) {
        int known = Math.min(entries, FLOWS);
        FlowCache<String> cache = new FlowCache<>(4 * known, 1);
        for (int i = 0; i < known; i++) {
            flows[i] = flow(random.nextInt(), random.nextInt());
            flows[i].sport = random.nextInt(65536);
        }
        long insertNs = time(known, i -> cache.put(flows[i], "policy"));
        int[] order = random.ints(LOOKUPS, 0, known).toArray();
        long lookupNs = time(LOOKUPS, i -> found += cache.get(flows[order[i]]) != null ? 1 : 0);
        report(counts, "flow cache, " + known + " flows", insertNs * entries / known, lookupNs);
    }

    private static PolicySpec policy(int daddr, int daddrPrefix, int saddr, int saddrPrefix, int priority) {
        Selector selector = new Selector(
                Address.ofIpv4(daddr).prefix(daddrPrefix), Address.ofIpv4(saddr).prefix(saddrPrefix), 0, 0, 0, 0,
                AddressFamily.INET, daddrPrefix, saddrPrefix, 0, 0, 0);
        return new PolicySpec(
                selector, Lifetime.UNLIMITED, priority, 0, Direction.OUT, PolicySpec.Action.ALLOW, 0, 0, List.of(), Mark.NONE, 0,
                PolicySpec.Type.MAIN, null);
    }

    private static Flow flow(int daddr, int saddr) {
        Flow flow = new Flow();
        flow.family = AddressFamily.INET;
        flow.daddrHigh = (long) daddr << 32;
        flow.saddrHigh = (long) saddr << 32;
        flow.protocol = IpProtocol.TCP;
        return flow;
    }

    private static long time(int count, IntConsumer operation) {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            operation.accept(i);
        }
        return System.nanoTime() - start;
    }

    private void report(boolean counts, String name, long insertNs, long lookupNs) {
        if (counts) {
            System.out.printf("%-28s %10d %12d %10.1f%n", name, entries, entries * 1_000_000_000L / insertNs, (double) lookupNs / LOOKUPS);
        }
    }
}
