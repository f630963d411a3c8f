package org.xfrmbridge.daemon.figures;

import java.util.Locale;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.Metric;

/** How people and programs are shown what is counted. */
public final class CounterNames {
    private CounterNames() {}

    /** As in {@code /proc/net/xfrm_stat}; what no kernel has is called as ours. */
    public static String of(DropReason reason) {
        return (reason.isInXfrmStat() ? "Xfrm" : "Bridge") + reason.label();
    }

    public static String of(Metric metric) {
        return metric.name().toLowerCase(Locale.ROOT);
    }

    /** Whether each direction has it; the others are shown as one number. */
    public static boolean isOfDirection(Metric metric) {
        return metric != Metric.BUNDLES_MADE && metric != Metric.FLOW_ENTRIES;
    }
}
