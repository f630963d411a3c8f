package org.xfrmbridge.daemon.figures;

import java.util.HashMap;
import java.util.Map;

/** How much was counted per second between two moments. What was not there at the first one began at 0. */
public final class Rates {
    private final Map<String, Figures.Sa> sasBefore = new HashMap<>();
    private final Map<Long, Long> usesBefore = new HashMap<>();
    private final Figures before;
    private final Figures now;

    /** @param before null if there was none: all rates are 0 then */
    public Rates(Figures before, Figures now) {
        this.before = before;
        this.now = now;
        if (before != null) {
            before.sas().forEach(sa -> sasBefore.put(sa.name(), sa));
            before.policies().forEach(policy -> usesBefore.put(policy.index(), policy.uses()));
        }
    }

    private double perSecond(double countedBefore, double counted) {
        long ms = before == null ? 0 : now.uptimeMs() - before.uptimeMs();
        return ms <= 0 ? 0 : Math.max(0, counted - countedBefore) * 1000 / ms;
    }

    public double bytes(Figures.Sa sa) {
        Figures.Sa earlier = sasBefore.get(sa.name());
        return perSecond(earlier == null ? 0 : earlier.bytes(), sa.bytes());
    }

    public double packets(Figures.Sa sa) {
        Figures.Sa earlier = sasBefore.get(sa.name());
        return perSecond(earlier == null ? 0 : earlier.packets(), sa.packets());
    }

    public double uses(Figures.PolicyUse policy) {
        return perSecond(usesBefore.getOrDefault(policy.index(), 0L), policy.uses());
    }

    /** Of a counter of the outbound direction. */
    public double outbound(String counter) {
        return before == null
                ? 0
                : perSecond(before.outbound().get(counter), now.outbound().get(counter));
    }

    public double inbound(String counter) {
        return before == null
                ? 0
                : perSecond(before.inbound().get(counter), now.inbound().get(counter));
    }

    /** @param reason as {@link Figures#drops} names it */
    public double drops(String reason) {
        return before == null
                ? 0
                : perSecond(before.drops().get(reason), now.drops().get(reason));
    }

    /** How much of a processor a thread has used, 1 being all of one. */
    public double load(String thread) {
        return before == null
                ? 0
                : perSecond(
                        before.threadCpuSeconds().getOrDefault(thread, 0.0),
                        now.threadCpuSeconds().getOrDefault(thread, 0.0));
    }
}
