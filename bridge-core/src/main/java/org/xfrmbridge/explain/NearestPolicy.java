package org.xfrmbridge.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

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
        int least = FAR;
        Dump<Policy> all = spd.walk(null);
        Policy policy = all.next();
        for (int i = 0; policy != null && i < MOST_COMPARED; i++, policy = all.next()) {
            if (policy.spec().selector().family() != flow.family) {
                continue;
            }
            int differences = PolicyDifference.count(policy.spec(), flow);
            if (policy.spec().direction() != direction) {
                if (differences > 0 || direction == Direction.OUT || !isInbound(policy)) {
                    continue;
                }
                differences = 1;
            }
            if (differences < least) {
                nearest = policy;
                least = differences;
            }
        }
        String uncompared = policy == null ? "" : "; only %,d were compared".formatted(MOST_COMPARED);
        return nearest == null
                ? "No %s policy comes near it%s.".formatted(Words.direction(direction), uncompared)
                : "The nearest is %s: %s%s."
                        .formatted(Words.policy(nearest), why(nearest, direction, flow), uncompared);
    }

    private static String why(Policy nearest, Direction direction, Flow flow) {
        Direction of = nearest.spec().direction();
        return of == direction
                ? String.join("; ", PolicyDifference.all(nearest.spec(), flow))
                : "it is of dir %s, and the packet asks for dir %s (%s)"
                        .formatted(
                                Words.direction(of),
                                Words.direction(direction),
                                direction == Direction.FWD ? "it is for another host" : "it is for this host itself");
    }

    private static boolean isInbound(Policy policy) {
        return policy.spec().direction() != Direction.OUT;
    }

    /** Better ones than what was found, that are nearly for the packet, the nearest first: each with why it is not. */
    List<String> passedOver(Policy chosen, Flow flow) {
        if (Spd.isSocketPolicy(chosen)) {
            return List.of("the policy of a socket goes before all others");
        }
        List<Policy> near = new ArrayList<>();
        List<Policy> lessNear = new ArrayList<>();
        Dump<Policy> all = spd.walk(chosen.spec().type());
        Policy policy = all.next();
        for (int i = 0; policy != null && i < MOST_COMPARED && near.size() < MOST_NAMED; i++, policy = all.next()) {
            if (!isBetter(policy, chosen) || policy.spec().selector().family() != flow.family) {
                continue;
            }
            int differences = PolicyDifference.count(policy.spec(), flow);
            if (differences == 1) {
                near.add(policy);
            } else if (differences == 2 && lessNear.size() < MOST_NAMED) {
                lessNear.add(policy);
            }
        }
        return Stream.concat(near.stream(), lessNear.stream())
                .limit(MOST_NAMED)
                .map(each -> "%s goes before it, but %s"
                        .formatted(Words.policy(each), String.join("; ", PolicyDifference.all(each.spec(), flow))))
                .toList();
    }

    private static boolean isBetter(Policy policy, Policy chosen) {
        int order =
                Integer.compareUnsigned(policy.spec().priority(), chosen.spec().priority());
        return policy.spec().direction() == chosen.spec().direction()
                && policy != chosen
                && !Spd.isSocketPolicy(policy)
                && (order < 0 || order == 0 && policy.age() < chosen.age());
    }
}
