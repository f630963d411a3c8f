package org.xfrmbridge.daemon.web;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.IntFunction;
import org.xfrmbridge.daemon.figures.AcquireTimes;
import org.xfrmbridge.daemon.figures.LatestFigures;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.RequestListener;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.State;

/**
 * All metrics of a bridge: what is made of its figures when somebody asks, and what has to be counted as it comes. The
 * listeners are the control thread's, the rest is for any thread.
 */
public final class BridgeMetrics implements ChangeListener {
    private static final double NS_PER_SECOND = 1e9;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Clock clock;

    private final Counter requests = Counter.builder()
            .name(Families.PREFIX + "requests")
            .help("Requests of clients, by message and errno, 0 for those that were carried out.")
            .labelNames("message", "errno")
            .register(registry);

    private final Histogram requestSeconds = Histogram.builder()
            .name(Families.PREFIX + "request_seconds")
            .help("How long requests took.")
            .classicOnly()
            .classicUpperBounds(5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 1e-1)
            .register(registry);

    private final Histogram acquireSeconds = Histogram.builder()
            .name(Families.PREFIX + "acquire_answer_seconds")
            .help("How long packets' ACQUIREs waited for their SA.")
            .classicOnly()
            .classicUpperBounds(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
            .register(registry);

    private final Counter acquires = Counter.builder()
            .name(Families.PREFIX + "acquires")
            .help("ACQUIREs that IKE daemons were sent.")
            .register(registry);

    private final Counter expired = Counter.builder()
            .name(Families.PREFIX + "sas_expired")
            .help("SAs that have reached a limit.")
            .labelNames("limit")
            .register(registry);

    private final AcquireTimes acquireTimes;

    public BridgeMetrics(LatestFigures figures, Clock clock) {
        this.clock = clock;
        acquireTimes = new AcquireTimes((state, waitedNs) -> acquireSeconds.observe(waitedNs / NS_PER_SECOND), clock);
        expired.initLabelValues("soft");
        expired.initLabelValues("hard");
        registry.register((MultiCollector) () -> collect(figures));
    }

    private static MetricSnapshots collect(LatestFigures figures) {
        try {
            return FiguresCollector.collect(figures.get());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Counts and times the requests of one front end. @param names what a type of message is called */
    public RequestListener requests(IntFunction<String> names) {
        return new RequestListener() {
            @Override
            public long begin() {
                return clock.nowNs();
            }

            @Override
            public void end(long begun, int type, int errno) {
                requestSeconds.observe((clock.nowNs() - begun) / NS_PER_SECOND);
                String name = names.apply(type);
                // Of types that nobody knows there may be any number.
                requests.labelValues(name.contains(" ") ? "other" : name, Integer.toString(errno))
                        .inc();
            }
        };
    }

    @Override
    public void acquireSent(Acquire acquire) {
        acquires.inc();
        acquireTimes.acquireSent(acquire);
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        acquireTimes.stateChanged(change, state, origin);
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        expired.labelValues(hard ? "hard" : "soft").inc();
    }

    /** A scrape and what it is in. */
    record Exposition(String contentType, byte[] text) {}

    /**
     * OpenMetrics or the older text of Prometheus.
     *
     * @param accept the header of that name, null for none
     * @throws IOException if the bridge has no time for it
     */
    Exposition expose(String accept) throws IOException {
        ExpositionFormatWriter writer = formats.findWriter(accept);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try {
            writer.write(text, registry.scrape());
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return new Exposition(writer.getContentType(), text.toByteArray());
    }
}
