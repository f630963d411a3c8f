package org.xfrmbridge.daemon.web;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.LinkedHashMap;
import java.util.Map;

/** Metrics that are made of figures when somebody asks, each with its series. */
final class Families {
    static final String PREFIX = "xfrm_bridge_";

    /** The series of one metric; of those with the same labels the sum. */
    static final class Family {
        private final Map<Labels, Double> values = new LinkedHashMap<>();

        /** @param labels name, value, name, value ... */
        Family put(double value, String... labels) {
            values.merge(Labels.of(labels), value, Double::sum);
            return this;
        }
    }

    private final MetricSnapshots.Builder all = MetricSnapshots.builder();

    /** @param name without {@link #PREFIX} and "_total" */
    Families counter(String name, String help, Family family) {
        CounterSnapshot.Builder snapshot =
                CounterSnapshot.builder().name(PREFIX + name).help(help);
        family.values.forEach((labels, value) -> snapshot.dataPoint(
                CounterDataPointSnapshot.builder().labels(labels).value(value).build()));
        all.metricSnapshot(snapshot.build());
        return this;
    }

    /** @param name without {@link #PREFIX} */
    Families gauge(String name, String help, Family family) {
        GaugeSnapshot.Builder snapshot =
                GaugeSnapshot.builder().name(PREFIX + name).help(help);
        family.values.forEach((labels, value) -> snapshot.dataPoint(
                GaugeDataPointSnapshot.builder().labels(labels).value(value).build()));
        all.metricSnapshot(snapshot.build());
        return this;
    }

    Families gauge(String name, String help, double value) {
        return gauge(name, help, new Family().put(value));
    }

    MetricSnapshots build() {
        return all.build();
    }
}
