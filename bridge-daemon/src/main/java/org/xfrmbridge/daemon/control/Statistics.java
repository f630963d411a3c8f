package org.xfrmbridge.daemon.control;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.xfrmbridge.daemon.figures.CounterNames;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.Metric;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Direction;

/** The numbers of {@code xfrm-bridge stat}. Control thread only. */
public final class Statistics {
    private final String place;
    private final Supplier<String> superFrames;
    private final XfrmService service;
    private final XfrmStats stats;
    private final Clock clock;
    private final long startNs;

    /**
     * @param place where it stands, for people: "at eth0 (xfrm0)"
     * @param superFrames which are carried there now, for people
     */
    public Statistics(String place, Supplier<String> superFrames, XfrmService service, XfrmStats stats, Clock clock) {
        this.place = place;
        this.superFrames = superFrames;
        this.service = service;
        this.stats = stats;
        this.clock = clock;
        this.startNs = clock.nowNs();
    }

    /** Numbers that are no counters of one direction, by name, in the order in which they are shown. */
    private Map<String, Number> totals() {
        XfrmService.PolicyCounts policies = service.policyCounts();
        Map<String, Number> totals = new LinkedHashMap<>();
        totals.put("uptime_seconds", (clock.nowNs() - startNs) / 1_000_000_000);
        totals.put("states", service.stateCounts().states());
        for (Direction direction : Direction.values()) {
            String name = direction.name().toLowerCase(Locale.ROOT);
            totals.put("policies_" + name, policies.global()[direction.number()]);
            totals.put("socket_policies_" + name, policies.socket()[direction.number()]);
        }
        totals.put("bundles_made", stats.outbound(Metric.BUNDLES_MADE) + stats.inbound(Metric.BUNDLES_MADE));
        totals.put("flow_entries", stats.outbound(Metric.FLOW_ENTRIES) + stats.inbound(Metric.FLOW_ENTRIES));
        totals.put("lookups_per_packet", Math.round(stats.lookupsPerPacket() * 1000) / 1000.0);
        return totals;
    }

    String toText() {
        StringBuilder out = new StringBuilder("xfrm-bridge ").append(place).append("\nsuper-frames: ");
        out.append(superFrames.get()).append("\n\n");
        totals().forEach((name, value) -> out.append("%-24s %14s%n".formatted(name.replace('_', ' '), value)));
        out.append("%n%-24s %14s %14s%n".formatted("", "outbound", "inbound"));
        for (Metric metric : Metric.values()) {
            if (CounterNames.isOfDirection(metric)) {
                out.append("%-24s %14d %14d%n"
                        .formatted(
                                CounterNames.of(metric).replace('_', ' '),
                                stats.outbound(metric),
                                stats.inbound(metric)));
            }
        }
        out.append('\n');
        for (DropReason reason : DropReason.values()) {
            out.append("%-24s %14d%n".formatted(CounterNames.of(reason), stats.drops(reason)));
        }
        return out.toString();
    }

    String toJson() {
        StringWriter text = new StringWriter();
        try {
            write(new JsonWriter(text));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    private void write(JsonWriter json) throws IOException {
        json.setIndent("  ");
        json.beginObject().name("place").value(place).name("super_frames").value(superFrames.get());
        for (Map.Entry<String, Number> total : totals().entrySet()) {
            json.name(total.getKey()).value(total.getValue());
        }
        write(json.name("outbound"), stats::outbound);
        write(json.name("inbound"), stats::inbound);
        json.name("xfrm_stat").beginObject();
        for (DropReason reason : DropReason.values()) {
            json.name(CounterNames.of(reason)).value(stats.drops(reason));
        }
        json.endObject().endObject();
    }

    private static void write(JsonWriter json, ToLongFunction<Metric> count) throws IOException {
        json.beginObject();
        for (Metric metric : Metric.values()) {
            if (CounterNames.isOfDirection(metric)) {
                json.name(CounterNames.of(metric)).value(count.applyAsLong(metric));
            }
        }
        json.endObject();
    }

    /** /proc/net/xfrm_stat. */
    String toProcText() {
        return stats.toProcText();
    }
}
