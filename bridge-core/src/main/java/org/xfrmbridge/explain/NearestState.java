package org.xfrmbridge.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.xfrmbridge.datapath.PacketRecord.Need;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.km.RemovedStates;
import org.xfrmbridge.km.RemovedStates.Removed;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** What is there instead of a State that is missing, or was there. Control thread. */
final class NearestState {
    private static final int MOST_COMPARED = 10_000;

    private final Sad sad;
    private final RemovedStates removed;

    NearestState(Sad sad, RemovedStates removed) {
        this.sad = sad;
        this.removed = removed;
    }

    /** Outbound: what there is for a template that found nothing. */
    String near(Need need, Flow flow, long nowNs) {
        Template template = need.template();
        int family = template.family();
        State nearest = null;
        List<String> least = null;
        Dump<State> all = sad.walk(state -> true);
        State state = all.next();
        for (int i = 0; state != null && i < MOST_COMPARED; i++, state = all.next()) {
            StateSpec spec = state.spec();
            boolean there = spec.family() == family
                    && spec.id().protocol() == template.id().protocol()
                    && spec.id().daddr().equalsAs(need.remote(), family)
                    && state.phase() != State.Phase.ACQUIRING;
            if (there) {
                List<String> differences = differences(state, need, flow);
                if (!differences.isEmpty() && (least == null || differences.size() < least.size())) {
                    nearest = state;
                    least = differences;
                }
            }
        }
        Optional<Removed> gone = removed.latest(each -> each.family() == family
                && each.id().protocol() == template.id().protocol()
                && each.reqid() == template.reqid()
                && each.id().daddr().equalsAs(need.remote(), family));
        String was = gone.map(each -> "SA %s, which served, %s %s ago."
                        .formatted(Words.spi(each.id().spi()), end(each.end()), Words.seconds(nowNs - each.atNs())))
                .orElse("");
        if (nearest != null) {
            String is = "The nearest is %s: %s.".formatted(Words.state(nearest), String.join("; ", least));
            return was.isEmpty() ? is : was + " " + is;
        }
        return was.isEmpty() ? "No SA to " + need.remote().toText(family) + " is here." : was;
    }

    private static String end(RemovedStates.End end) {
        return switch (end) {
            case DELETED -> "was deleted";
            case EXPIRED -> "expired at its hard limit";
            case MOVED -> "was moved to other addresses";
        };
    }

    private static List<String> differences(State state, Need need, Flow flow) {
        StateSpec spec = state.spec();
        Template template = need.template();
        List<String> differences = differences(spec, template);
        Address local = need.local();
        if (local != null && !spec.saddr().isAny(spec.family()) && !spec.saddr().equalsAs(local, spec.family())) {
            differences.add("its source is %s, not %s"
                    .formatted(spec.saddr().toText(spec.family()), local.toText(spec.family())));
        }
        if (spec.direction() == StateSpec.DIRECTION_IN) {
            differences.add("it was added for dir in");
        }
        if (spec.pcpu() != StateSpec.ABSENT && spec.pcpu() != flow.cpu) {
            differences.add("it is for CPU %d alone".formatted(spec.pcpu()));
        }
        if (!state.isValid()) {
            differences.add("it is " + Words.phase(state.phase()));
        }
        Policy policy = need.policy();
        if (!spec.mark().fits(policy.spec().mark().maskedValue())) {
            differences.add("it has%s, and the policy mark 0x%x"
                    .formatted(Words.mark(spec.mark()), policy.spec().mark().maskedValue()));
        }
        if (spec.ifId() != policy.spec().ifId()) {
            differences.add("it has if_id 0x%x, not 0x%x"
                    .formatted(spec.ifId(), policy.spec().ifId()));
        }
        if (spec.selector().family() != 0
                && !spec.selector().matches(flow, spec.selector().family())) {
            differences.add("its selector is " + Words.selector(spec.selector()));
        }
        return differences;
    }

    /** In what a State does not serve a template, but for its ends. */
    static List<String> differences(StateSpec spec, Template template) {
        List<String> differences = new ArrayList<>();
        if (spec.id().protocol() != template.id().protocol()) {
            differences.add("it is %s, not %s"
                    .formatted(
                            Words.protocol(spec.id().protocol()),
                            Words.protocol(template.id().protocol())));
        }
        // A State's reqid counts outbound even where the template has none.
        if (spec.reqid() != template.reqid()) {
            differences.add("its reqid is %d, not %d".formatted(spec.reqid(), template.reqid()));
        }
        if (spec.mode() != template.mode()) {
            differences.add("its mode is %s, not %s".formatted(Words.mode(spec.mode()), Words.mode(template.mode())));
        }
        if (template.id().spi() != 0 && template.id().spi() != spec.id().spi()) {
            differences.add("its SPI is %s, not %s"
                    .formatted(
                            Words.spi(spec.id().spi()), Words.spi(template.id().spi())));
        }
        return differences;
    }

    /** Inbound: in what the State that a packet came through does not serve a template. */
    static String difference(State state, Template template) {
        StateSpec spec = state.spec();
        List<String> differences = differences(spec, template);
        if (template.reqid() == 0) {
            differences.removeIf(each -> each.startsWith("its reqid"));
        }
        boolean isFromElsewhere = spec.mode().hasOuterHeader()
                && !template.saddr().isAny(template.family())
                && !template.saddr().equalsAs(spec.saddr(), template.family());
        if (isFromElsewhere) {
            differences.add("it comes from %s, not %s"
                    .formatted(
                            spec.saddr().toText(spec.family()), template.saddr().toText(template.family())));
        }
        return differences.isEmpty() ? "its algorithm is not among those allowed" : String.join("; ", differences);
    }

    /** Inbound: what became of a State that a packet names. */
    String fate(StateId id, int family, long nowNs) {
        Optional<Removed> gone = removed.latest(each -> each.family() == family
                && each.id().spi() == id.spi()
                && each.id().protocol() == id.protocol()
                && each.id().daddr().equalsAs(id.daddr(), family));
        if (gone.isPresent()) {
            String how = switch (gone.get().end()) {
                case DELETED -> "this side deleted it";
                case EXPIRED -> "it expired here at its hard limit";
                case MOVED -> "it was moved to other addresses";
            };
            return "%s %s ago; the peer still sends with it"
                    .formatted(how, Words.seconds(nowNs - gone.get().atNs()));
        }
        Dump<State> all = sad.walk(state -> true);
        State state = all.next();
        for (int i = 0; state != null && i < MOST_COMPARED; i++, state = all.next()) {
            if (state.id().spi() == id.spi() && state.id().protocol() == id.protocol()) {
                String mark = Words.mark(state.spec().mark());
                return "here it belongs to " + Words.state(state) + (mark.isEmpty() ? "" : ", which has" + mark);
            }
        }
        return "this side never had it, or not among the last %,d that went".formatted(RemovedStates.MOST);
    }
}
