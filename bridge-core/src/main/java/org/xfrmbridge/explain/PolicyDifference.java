package org.xfrmbridge.explain;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/** In what a packet may be other than those that a policy is for. */
enum PolicyDifference {
    SOURCE {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            return !policy.selector().hasSource(flow);
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            Selector selector = policy.selector();
            return "it is for src %s/%d, not %s"
                    .formatted(
                            selector.saddr().toText(flow.family),
                            selector.saddrPrefix(),
                            flow.saddr().toText(flow.family));
        }
    },
    DESTINATION {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            return !policy.selector().hasDestination(flow);
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            Selector selector = policy.selector();
            return "it is for dst %s/%d, not %s"
                    .formatted(
                            selector.daddr().toText(flow.family),
                            selector.daddrPrefix(),
                            flow.daddr().toText(flow.family));
        }
    },
    PROTOCOL {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            int wanted = policy.selector().protocol();
            return wanted != 0 && wanted != flow.protocol;
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            return "it is for proto %s, not %s"
                    .formatted(Words.protocol(policy.selector().protocol()), Words.protocol(flow.protocol));
        }
    },
    SOURCE_PORT {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            Selector selector = policy.selector();
            return ((flow.sport ^ selector.sport()) & selector.sportMask()) != 0;
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            return "it is for sport %d, not %d".formatted(policy.selector().sport(), flow.sport);
        }
    },
    DESTINATION_PORT {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            Selector selector = policy.selector();
            return ((flow.dport ^ selector.dport()) & selector.dportMask()) != 0;
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            return "it is for dport %d, not %d".formatted(policy.selector().dport(), flow.dport);
        }
    },
    MARK {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            return !policy.mark().fits(flow.mark);
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            return "it is for%s, and the packet has mark 0x%x".formatted(Words.mark(policy.mark()), flow.mark);
        }
    },
    INTERFACE {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            int wanted = policy.selector().ifindex();
            return wanted != 0 && !flow.isAt(wanted);
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            return "it is for interface %d, and the packet is not at that one"
                    .formatted(policy.selector().ifindex());
        }
    },
    INTERFACE_ID {
        @Override
        boolean isBetween(PolicySpec policy, Flow flow) {
            return policy.ifId() != flow.ifId;
        }

        @Override
        String sentence(PolicySpec policy, Flow flow) {
            return "it is for if_id 0x%x, which packets here never have".formatted(policy.ifId());
        }
    };

    private static final List<PolicyDifference> KINDS = List.of(values());

    abstract boolean isBetween(PolicySpec policy, Flow flow);

    /** Of a packet and a policy that differ in that. */
    abstract String sentence(PolicySpec policy, Flow flow);

    /** How many there are, but for family and direction. */
    static int count(PolicySpec policy, Flow flow) {
        int count = 0;
        for (PolicyDifference kind : KINDS) {
            count += kind.isBetween(policy, flow) ? 1 : 0;
        }
        return count;
    }

    /** A sentence for each. */
    static List<String> all(PolicySpec policy, Flow flow) {
        List<String> sentences = new ArrayList<>();
        for (PolicyDifference kind : KINDS) {
            if (kind.isBetween(policy, flow)) {
                sentences.add(kind.sentence(policy, flow));
            }
        }
        return sentences;
    }
}
