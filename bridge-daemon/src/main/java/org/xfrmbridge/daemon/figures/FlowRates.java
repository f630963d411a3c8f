package org.xfrmbridge.daemon.figures;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.xfrmbridge.datapath.PacketLog;
import org.xfrmbridge.datapath.PacketRecord;
import org.xfrmbridge.datapath.PacketRecord.Passage;
import org.xfrmbridge.datapath.PacketSampler;
import org.xfrmbridge.explain.Words;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What flows, by samples, as long as somebody asks at least every ten seconds: no flow counts its packets for that.
 * Control thread, but for {@link #sample}.
 */
public final class FlowRates implements PacketSampler {
    /** How many are told apart within a second. */
    static final int MOST_FLOWS = 4096;

    static final int MOST_SHOWN = 200;

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long LEAST_NS = TimeUnit.SECONDS.toNanos(1);
    private static final double NS_PER_SECOND = 1e9;

    private record Key(
            Direction direction, int family, Address source, Address destination, int protocol, int sport, int dport) {
        static Key of(Direction direction, Flow flow) {
            return new Key(direction, flow.family, flow.saddr(), flow.daddr(), flow.protocol, flow.sport, flow.dport);
        }
    }

    private static final class Sum {
        PacketRecord latest;
        double packets;
        double bytes;
    }

    private final PacketLog log;
    private final Clock clock;
    private Map<Key, Sum> sums = new HashMap<>();
    private boolean isAsked;
    private long askedNs;
    private long begunNs;
    private FlowsReport latest = FlowsReport.NONE;

    public FlowRates(PacketLog log, Clock clock) {
        this.log = log;
        this.clock = clock;
    }

    @Override
    public synchronized void sample(PacketRecord packet, double weight) {
        if (packet.flow() == null) {
            return;
        }
        Key key = Key.of(packet.direction(), packet.flow());
        Sum sum = sums.get(key);
        if (sum == null) {
            if (sums.size() == MOST_FLOWS) {
                return;
            }
            sum = new Sum();
            sums.put(key, sum);
        }
        sum.latest = packet;
        sum.packets += weight;
        sum.bytes += weight * packet.bytes();
    }

    private synchronized Map<Key, Sum> takeSums() {
        Map<Key, Sum> taken = sums;
        sums = new HashMap<>();
        return taken;
    }

    /** {@link FlowsReport}, of the time since somebody asked last. */
    public String toJson() {
        return report().toJson();
    }

    /** Anew once a second at most, so that several can ask. The first question begins it. */
    FlowsReport report() {
        long nowNs = clock.nowNs();
        askedNs = nowNs;
        if (!isAsked) {
            isAsked = true;
            begunNs = nowNs;
            latest = FlowsReport.NONE;
            takeSums();
            log.setSampler(this);
        } else if (nowNs - begunNs >= LEAST_NS) {
            latest = report(takeSums(), (nowNs - begunNs) / NS_PER_SECOND);
            begunNs = nowNs;
        }
        return latest;
    }

    private static FlowsReport report(Map<Key, Sum> sums, double seconds) {
        List<FlowsReport.Use> flows = sums.values().stream()
                .sorted(Comparator.comparingDouble((Sum sum) -> sum.bytes).reversed())
                .limit(MOST_SHOWN)
                .map(sum -> use(sum, seconds))
                .toList();
        return new FlowsReport(seconds, flows, sums.size() - flows.size());
    }

    private static FlowsReport.Use use(Sum sum, double seconds) {
        PacketRecord packet = sum.latest;
        Flow flow = packet.flow();
        StateSpec sa = nearestToWire(packet);
        return new FlowsReport.Use(
                packet.direction().name().toLowerCase(Locale.ROOT),
                Words.protocol(flow.protocol),
                Words.end(flow.saddr(), flow, flow.sport),
                Words.end(flow.daddr(), flow, flow.dport),
                packet.outcome().name().toLowerCase(Locale.ROOT),
                sa == null ? "" : Words.spi(sa.id().spi()),
                sa == null ? 0 : Integer.toUnsignedLong(sa.reqid()),
                packet.policies().isEmpty()
                        ? 0
                        : Integer.toUnsignedLong(
                                packet.policies().getFirst().spec().index()),
                sum.packets / seconds,
                sum.bytes / seconds);
    }

    private static StateSpec nearestToWire(PacketRecord packet) {
        List<Passage> passages = packet.passages();
        if (passages.isEmpty()) {
            return null;
        }
        boolean out = packet.direction() == Direction.OUT;
        return (out ? passages.getLast() : passages.getFirst()).state().spec();
    }

    /** Every few seconds. */
    public void endForgotten() {
        if (isAsked && clock.nowNs() - askedNs > PATIENCE_NS) {
            isAsked = false;
            log.setSampler(null);
            takeSums();
        }
    }
}
