package org.xfrmbridge.bench;

import java.util.concurrent.atomic.AtomicLong;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

/**
 * Packets of some flows in turn, and for one flow of sixteen, before each packet, whether another policy rules it than
 * at the packet before. For such a packet a policy has to be looked for; what others cost beyond one lookup is for
 * nothing.
 */
final class Turnover implements Traffic.Source {
    private static final int SAMPLED = 16;

    private final LoopbackBridge bridge;
    private final SampleEntries.Kind kind;
    private final Policy[] ruling;
    private final AtomicLong asked = new AtomicLong();
    private final AtomicLong others = new AtomicLong();
    private long askedBefore;
    private long othersBefore;

    Turnover(LoopbackBridge bridge, SampleEntries.Kind kind, int flows) {
        this.bridge = bridge;
        this.kind = kind;
        ruling = new Policy[flows];
    }

    @Override
    public void fill(Flow flow, long packet) {
        int number = (int) (packet % ruling.length);
        SampleEntries.fill(flow, kind, number);
        if (number % SAMPLED == 0) {
            Policy now = bridge.lookUpPolicy(flow);
            asked.lazySet(asked.getPlain() + 1);
            others.lazySet(others.getPlain() + (now == ruling[number] ? 0 : 1));
            ruling[number] = now;
        }
    }

    /** Of the packets since the last call, the share that another policy ruled than the packet before. */
    double share() {
        long askedNow = asked.get();
        long othersNow = others.get();
        double share = (double) (othersNow - othersBefore) / (askedNow - askedBefore);
        askedBefore = askedNow;
        othersBefore = othersNow;
        return share;
    }
}
