package org.xfrmbridge.daemon.figures;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.Metric;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.io.ClientLoad;
import org.xfrmbridge.km.StateRole;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;

/**
 * Takes the {@link Figures} of a running bridge. Control thread only. That walks the databases, to the youngest
 * {@value #MOST_WALKED} entries of each: some ten milliseconds then, in which clients wait and packets do not. Of older
 * SAs only the number is known, and is among the others.
 */
public final class FiguresSource {
    static final int MOST_WALKED = 100_000;

    /** How many SAs, and how many policies, are shown one by one. */
    static final int MOST_SHOWN = 500;

    private final String place;
    private final XfrmEngine engine;
    private final XfrmStats stats;
    private final Supplier<Map<String, ClientLoad>> clients;
    private final Clock clock;
    private final long startNs;

    /**
     * @param place where the bridge stands, for people
     * @param clients of each front end
     */
    public FiguresSource(
            String place, XfrmEngine engine, XfrmStats stats, Supplier<Map<String, ClientLoad>> clients, Clock clock) {
        this.place = place;
        this.engine = engine;
        this.stats = stats;
        this.clients = clients;
        this.clock = clock;
        startNs = clock.nowNs();
    }

    /** As they are now. */
    public Figures take() {
        long nowSeconds = clock.epochSeconds();
        Most<State> mostStates = new Most<>(MOST_SHOWN);
        Map<String, Integer> phases = new TreeMap<>();
        Set<StateRole> ending = new HashSet<>();
        TunnelSums tunnels = new TunnelSums(engine.retiredTraffic());
        long bytes = 0;
        long packets = 0;
        int walked = 0;
        Dump<State> states = engine.states(any -> true);
        for (State state = states.next(); state != null && walked < MOST_WALKED; state = states.next()) {
            walked++;
            String phase = SaFigures.phase(state);
            phases.merge(phase, 1, Integer::sum);
            if (phase.equals("dying")) {
                ending.add(StateRole.of(state));
            }
            long carried = state.usage().bytes();
            bytes += carried;
            packets += state.usage().packets();
            mostStates.offer(state, carried);
            tunnels.add(state);
        }
        List<Figures.Sa> shown = mostStates.inOrder().stream()
                .map(state -> SaFigures.of(state, nowSeconds))
                .toList();
        Figures.OtherSas others = new Figures.OtherSas(
                engine.stateCounts().states() - shown.size(),
                bytes - shown.stream().mapToLong(Figures.Sa::bytes).sum(),
                packets - shown.stream().mapToLong(Figures.Sa::packets).sum());
        removeSucceeded(ending);

        List<Figures.PolicyUse> policies = policies();
        XfrmService.PolicyCounts counts = engine.policyCounts();
        return new Figures(
                nowSeconds,
                place,
                (clock.nowNs() - startNs) / 1_000_000,
                Math.round(stats.lookupsPerPacket() * 1000) / 1000.0,
                counters(stats::outbound),
                counters(stats::inbound),
                drops(),
                policyCounts(counts),
                phases,
                ending.size(),
                engine.openAcquires(),
                shown,
                others,
                tunnels.most(MOST_SHOWN),
                policies,
                sum(counts) - policies.size(),
                engine.waitingEvents(),
                clients(),
                ThreadTimes.read(),
                collectors().stream()
                        .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                        .sum(),
                collectors().stream()
                                .mapToLong(GarbageCollectorMXBean::getCollectionTime)
                                .sum()
                        / 1000.0);
    }

    /** Of those SAs that have reached a soft limit, which are few, all that have one in their place already. */
    private void removeSucceeded(Set<StateRole> ending) {
        if (ending.isEmpty()) {
            return;
        }
        Dump<State> states = engine.states(state -> state.isValid() && !state.isDying());
        int walked = 0;
        for (State state = states.next(); state != null && walked < MOST_WALKED; state = states.next()) {
            walked++;
            ending.remove(StateRole.of(state));
        }
    }

    private List<Figures.PolicyUse> policies() {
        Most<Policy> most = new Most<>(MOST_SHOWN);
        Dump<Policy> all = engine.policies(null);
        int walked = 0;
        for (Policy policy = all.next(); policy != null && walked < MOST_WALKED; policy = all.next()) {
            walked++;
            most.offer(policy, policy.usage().renewals());
        }
        return most.inOrder().stream().map(FiguresSource::of).toList();
    }

    /** One SA as it is now. Also when the tables have it no more. @param nowSeconds since the epoch */
    public static Figures.Sa of(State state, long nowSeconds) {
        return SaFigures.of(state, nowSeconds);
    }

    /** The same of a policy. */
    public static Figures.PolicyUse of(Policy policy) {
        PolicySpec spec = policy.spec();
        Selector selector = spec.selector();
        return new Figures.PolicyUse(
                Integer.toUnsignedLong(spec.index()),
                spec.direction().name().toLowerCase(Locale.ROOT),
                spec.type().name().toLowerCase(Locale.ROOT),
                "%s/%d -> %s/%d"
                        .formatted(
                                selector.saddr().toText(selector.family()),
                                selector.saddrPrefix(),
                                selector.daddr().toText(selector.family()),
                                selector.daddrPrefix()),
                Integer.toUnsignedLong(spec.priority()),
                spec.action().name().toLowerCase(Locale.ROOT),
                spec.templates().size(),
                spec.templates().isEmpty()
                        ? 0
                        : Integer.toUnsignedLong(spec.templates().getFirst().reqid()),
                policy.usage().renewals(),
                policy.usage().useSeconds());
    }

    private static Map<String, Long> counters(ToLongFunction<Metric> count) {
        Map<String, Long> counters = new LinkedHashMap<>();
        for (Metric metric : Metric.values()) {
            counters.put(CounterNames.of(metric), count.applyAsLong(metric));
        }
        return counters;
    }

    private Map<String, Long> drops() {
        Map<String, Long> drops = new LinkedHashMap<>();
        for (DropReason reason : DropReason.values()) {
            drops.put(CounterNames.of(reason), stats.drops(reason));
        }
        return drops;
    }

    private static Map<String, Integer> policyCounts(XfrmService.PolicyCounts counts) {
        Map<String, Integer> policies = new LinkedHashMap<>();
        for (Direction direction : Direction.values()) {
            String name = direction.name().toLowerCase(Locale.ROOT);
            policies.put(name, counts.global()[direction.number()]);
            policies.put("socket_" + name, counts.socket()[direction.number()]);
        }
        return policies;
    }

    private static int sum(XfrmService.PolicyCounts counts) {
        int sum = 0;
        for (Direction direction : Direction.values()) {
            sum += counts.global()[direction.number()] + counts.socket()[direction.number()];
        }
        return sum;
    }

    private Map<String, Figures.Clients> clients() {
        Map<String, Figures.Clients> load = new LinkedHashMap<>();
        clients.get()
                .forEach((name, of) ->
                        load.put(name, new Figures.Clients(of.clients(), of.waitingBytes(), of.lostEvents())));
        return load;
    }

    private static List<GarbageCollectorMXBean> collectors() {
        return ManagementFactory.getGarbageCollectorMXBeans();
    }
}
