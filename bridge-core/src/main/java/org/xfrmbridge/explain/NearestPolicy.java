package org.xfrmbridge.explain;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/** Policies that are nearly for a packet, and in what they differ from it. Control thread. */
final class NearestPolicy {
    /** More policies are not compared: the control thread has others to serve. */
    static final int MOST_COMPARED = 10_000;

    private static final int MOST_NAMED = 3;
    private static final int FAR = 3;

    private final Spd spd;

    NearestPolicy(Spd spd) {
        this.spd = spd;
    }

    /** Of a packet that no policy is for: which comes nearest, in a sentence. */
    String nearest(Direction direction, Flow flow) {
        Policy nearest = null;
        List<String> least = null;
        Dump<Policy> all = spd.walk(null);
        Policy policy = all.next();
        for (int i = 0; policy != null && i < MOST_COMPARED; i++, policy = all.next()) {
            if (policy.spec().selector().family() != flow.family) {
                continue;
            }
            List<String> differences = differences(policy, flow);
            boolean elsewhere = policy.spec().direction() != direction;
            if (elsewhere && !(differences.isEmpty() && direction != Direction.OUT && isInbound(policy))) {
                continue;
            }
            if (elsewhere) {
                differences.add("it is of dir %s, and the packet asks for dir %s (%s)"
                        .formatted(
                                Words.direction(policy.spec().direction()),
                                Words.direction(direction),
                                direction == Direction.FWD ? "it is for another host" : "it is for this host itself"));
            }
            if (differences.size() < FAR && (least == null || differences.size() < least.size())) {
                nearest = policy;
                least = differences;
            }
        }
        String uncompared = policy == null ? "" : "; only %,d were compared".formatted(MOST_COMPARED);
        return nearest == null
                ? "No %s policy comes near it%s.".formatted(Words.direction(direction), uncompared)
                : "The nearest is %s: %s%s.".formatted(Words.policy(nearest), String.join("; ", least), uncompared);
    }

    private static boolean isInbound(Policy policy) {
        return policy.spec().direction() != Direction.OUT;
    }

    /** Better ones than what was found, that are nearly for the packet: each with why it is not. */
    List<String> passedOver(Policy chosen, Flow flow) {
        List<String> sentences = new ArrayList<>();
        if (Spd.isSocketPolicy(chosen)) {
            return List.of("the policy of a socket goes before all others");
        }
        Dump<Policy> all = spd.walk(chosen.spec().type());
        Policy policy = all.next();
        for (int i = 0; policy != null && i < MOST_COMPARED && sentences.size() < MOST_NAMED; i++) {
            if (isBetter(policy, chosen) && policy.spec().selector().family() == flow.family) {
                List<String> differences = differences(policy, flow);
                if (!differences.isEmpty() && differences.size() < FAR) {
                    sentences.add(Words.policy(policy) + " goes before it, but " + String.join("; ", differences));
                }
            }
            policy = all.next();
        }
        return sentences;
    }

    private static boolean isBetter(Policy policy, Policy chosen) {
        int order =
                Integer.compareUnsigned(policy.spec().priority(), chosen.spec().priority());
        return policy.spec().direction() == chosen.spec().direction()
                && policy != chosen
                && !Spd.isSocketPolicy(policy)
                && (order < 0 || order == 0 && policy.age() < chosen.age());
    }

    /** In what a packet is not one that the policy is for, but for direction. */
    static List<String> differences(Policy policy, Flow flow) {
        PolicySpec spec = policy.spec();
        Selector selector = spec.selector();
        List<String> differences = new ArrayList<>();
        if (!selector.hasSource(flow)) {
            differences.add("it is for src %s/%d, not %s"
                    .formatted(
                            selector.saddr().toText(flow.family),
                            selector.saddrPrefix(),
                            flow.saddr().toText(flow.family)));
        }
        if (!selector.hasDestination(flow)) {
            differences.add("it is for dst %s/%d, not %s"
                    .formatted(
                            selector.daddr().toText(flow.family),
                            selector.daddrPrefix(),
                            flow.daddr().toText(flow.family)));
        }
        if (selector.protocol() != 0 && selector.protocol() != flow.protocol) {
            differences.add("it is for proto %s, not %s"
                    .formatted(Words.protocol(selector.protocol()), Words.protocol(flow.protocol)));
        }
        if (((flow.sport ^ selector.sport()) & selector.sportMask()) != 0) {
            differences.add("it is for sport %d, not %d".formatted(selector.sport(), flow.sport));
        }
        if (((flow.dport ^ selector.dport()) & selector.dportMask()) != 0) {
            differences.add("it is for dport %d, not %d".formatted(selector.dport(), flow.dport));
        }
        if (!spec.mark().fits(flow.mark)) {
            differences.add("it is for%s, and the packet has mark 0x%x".formatted(Words.mark(spec.mark()), flow.mark));
        }
        if (selector.ifindex() != 0 && !flow.isAt(selector.ifindex())) {
            differences.add("it is for interface %d, and the packet is not at that one".formatted(selector.ifindex()));
        }
        if (spec.ifId() != flow.ifId) {
            differences.add("it is for if_id 0x%x, which packets here never have".formatted(spec.ifId()));
        }
        return differences;
    }
}
