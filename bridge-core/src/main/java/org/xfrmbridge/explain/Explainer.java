package org.xfrmbridge.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.datapath.DropCause;
import org.xfrmbridge.datapath.FlowQuestion;
import org.xfrmbridge.datapath.PacketRecord;
import org.xfrmbridge.datapath.PacketRecord.Need;
import org.xfrmbridge.datapath.PacketRecord.Outcome;
import org.xfrmbridge.datapath.PacketRecord.Passage;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.RemovedStates;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Says of a packet what became of it and why: the sentences of {@link DropCause}, with names and numbers in the place
 * of the words in braces. Looks at the databases as they are now. Control thread.
 */
public final class Explainer {
    private static final Pattern NAME = Pattern.compile("\\{([a-z-]+)}");
    private static final int MOST_SERVING = 4;

    private final NearestPolicy policies;
    private final NearestState states;
    private final FlowQuestion question;
    private final Clock clock;

    /** @param question is asked what serves an inbound template */
    public Explainer(Databases databases, RemovedStates removed, FlowQuestion question, Clock clock) {
        policies = new NearestPolicy(databases.spd());
        states = new NearestState(databases.sad(), removed);
        this.question = question;
        this.clock = clock;
    }

    /** @param time when it was, for who reads it; null for a packet that is only thought of */
    public PacketReport explain(PacketRecord packet, String time) {
        DropCause cause = packet.cause();
        return new PacketReport(
                time,
                Words.direction(packet.direction()),
                Words.direction(packet.outcome()),
                cause == null ? null : "Xfrm" + cause.reason().label(),
                cause == null ? null : cause.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                sentence(packet),
                cause == null ? adviceForPassed(packet) : fill(cause.advice(), packet),
                report(packet.flow(), packet.bytes()),
                Words.direction(packet.decision()),
                packet.policies().stream().map(Explainer::report).toList(),
                packet.policies().isEmpty() || packet.flow() == null
                        ? List.of()
                        : policies.passedOver(packet.policies().getFirst(), packet.flow()),
                wants(packet),
                packet.passages().stream().map(Explainer::report).toList(),
                packet.named() == 0 ? null : Words.spi(packet.spi()),
                packet.mtuBytes(),
                packet.limitBytes());
    }

    /** What happened, in one sentence. */
    public String sentence(PacketRecord packet) {
        DropCause cause = packet.cause();
        if (cause != null) {
            return fill(cause.sentence(), packet);
        }
        boolean out = packet.direction() == Direction.OUT;
        return fill(
                switch (packet.outcome()) {
                    case PROTECTED -> "{packet} leaves through {path}: {policy} wants it";
                    case OPENED ->
                        "{packet} came through {path}, as the policies want it"
                                + (packet.moved() == null
                                        ? ""
                                        : ". Its peer is at {moved-to} now, and was agreed to be at {moved-from}");
                    default -> {
                        if (!packet.policies().isEmpty()) {
                            yield "{packet} passes in the clear: {policy} lets it";
                        }
                        yield out
                                ? "{packet} passes in the clear: no out policy is for it. {nearest}"
                                : "{packet} passes in the clear: no {dir} policy wants it otherwise";
                    }
                },
                packet);
    }

    private static String adviceForPassed(PacketRecord packet) {
        if (packet.moved() != null) {
            return "a NAT has another mapping: until the IKE daemon, which was told, updates the SAs (see its log),"
                    + " what leaves goes to the old one";
        }
        boolean isUnruled =
                packet.outcome() == Outcome.PASSED && packet.policies().isEmpty();
        return isUnruled ? "if it is to be protected, add a policy whose selector and mark are the packet's" : null;
    }

    private String fill(String sentence, PacketRecord packet) {
        Function<String, String> value = name -> value(name, packet);
        return NAME.matcher(sentence)
                .replaceAll(match -> Matcher.quoteReplacement(value.apply(match.group(1))))
                .strip();
    }

    private String value(String name, PacketRecord packet) {
        Flow flow = packet.flow();
        State state = lastState(packet);
        return switch (name) {
            case "packet" -> Words.packet(flow, packet.bytes());
            case "dir" -> Words.direction(packet.direction());
            case "policy" -> policy(packet);
            case "nearest" -> flow == null ? "" : policies.nearest(packet.direction(), flow);
            case "template" -> Words.template(template(packet));
            case "near" -> states.near(packet.need(), flow, clock.nowNs());
            case "difference" ->
                packet.passages().isEmpty()
                        ? ""
                        : NearestState.difference(packet.passages().getLast().state(), template(packet));
            case "state" -> state == null ? "a State" : Words.state(state);
            case "phase" -> state == null ? "gone" : Words.phase(state.phase());
            case "selector" -> selectors(packet);
            case "agreed" -> Words.encapsulation(state.spec().encapsulation());
            case "came" -> came(packet);
            case "path" -> path(packet);
            case "usage" -> Words.limits(packet.passages().getLast());
            case "seq" -> Long.toUnsignedString(packet.passages().getLast().sequence());
            case "window" -> window(packet.passages().getLast());
            case "limit" -> String.valueOf(packet.limitBytes());
            case "remote" -> remote(packet);
            case "moved-from" ->
                end(packet, packet.moved().from(), packet.moved().fromPort());
            case "moved-to" -> end(packet, packet.moved().to(), packet.moved().toPort());
            case "spi" -> Words.spi(packet.spi());
            case "proto" ->
                Words.protocol(state == null ? packet.named() : state.id().protocol());
            case "fate" ->
                states.fate(new StateId(flow.daddr(), packet.spi(), packet.named()), flow.family, clock.nowNs());
            case "outer-source" -> flow.saddr().toText(flow.family) + (packet.encapsulated() ? ":" + flow.sport : "");
            case "outer-destination" -> flow.daddr().toText(flow.family);
            default -> throw new IllegalArgumentException("no such name in a sentence: " + name);
        };
    }

    private static State lastState(PacketRecord packet) {
        if (!packet.passages().isEmpty()) {
            return packet.passages().getLast().state();
        }
        return packet.need() == null ? null : packet.need().state();
    }

    private static String policy(PacketRecord packet) {
        Need need = packet.need();
        if (need != null && need.policy() != null) {
            return Words.policy(need.policy());
        }
        // The one that decides is the last, unless one before it blocks.
        return packet.policies().stream()
                .filter(each -> each.spec().action() == PolicySpec.Action.BLOCK
                        || packet.policies().size() == 1)
                .findFirst()
                .or(() -> packet.policies().stream().findFirst())
                .map(Words::policy)
                .orElse("no policy");
    }

    private static Template template(PacketRecord packet) {
        return packet.need().template();
    }

    private static String remote(PacketRecord packet) {
        Need need = packet.need();
        State state = need.state();
        Template template = need.template();
        int family = template != null
                ? template.family()
                : state != null ? state.spec().family() : packet.flow().family;
        return need.remote().toText(family);
    }

    private static String came(PacketRecord packet) {
        if (packet.cause() == DropCause.IN_ENCAPSULATION_DIFFERS) {
            Flow flow = packet.flow();
            return packet.encapsulated()
                    ? "in UDP from port %d to %d".formatted(flow.sport, flow.dport)
                    : "without UDP";
        }
        return packet.passages().isEmpty() ? "in the clear" : "through " + path(packet);
    }

    private static String path(PacketRecord packet) {
        return String.join(
                " and ",
                packet.passages().stream()
                        .map(each -> Words.state(each.state()))
                        .toList());
    }

    private static String end(PacketRecord packet, Address address, int port) {
        return address.toText(packet.moved().family()) + " port " + port;
    }

    private static String selectors(PacketRecord packet) {
        return String.join(
                " and ",
                packet.passages().stream()
                        .map(each -> Words.selector(each.state().spec().selector()))
                        .toList());
    }

    private static String window(Passage at) {
        return "The highest until now is %d, the window %d bits.".formatted(at.highest(), at.windowBits());
    }

    private List<String> wants(PacketRecord packet) {
        List<String> wants = new ArrayList<>();
        int next = 0;
        for (Policy policy : packet.policies()) {
            for (Template template : policy.spec().templates()) {
                String text = Words.template(template) + (template.optional() ? " (optional)" : "");
                if (packet.need() != null && packet.need().template() == template) {
                    wants.add(text + ": missing" + serving(packet, template));
                } else if (packet.direction() == Direction.OUT
                        && next < packet.passages().size()) {
                    wants.add(text + ": "
                            + Words.state(packet.passages().get(next++).state()));
                } else {
                    wants.add(text);
                }
            }
        }
        return wants;
    }

    /** Inbound, in the clear: by which SAs it could come. */
    private String serving(PacketRecord packet, Template template) {
        if (packet.direction() == Direction.OUT || !packet.passages().isEmpty()) {
            return "";
        }
        List<State> serving = question.serving(template, packet.flow().family, MOST_SERVING);
        return serving.isEmpty()
                ? ", and no SA here would serve"
                : "; it may come through "
                        + String.join(" or ", serving.stream().map(Words::state).toList());
    }

    private static PacketReport.Packet report(Flow flow, int bytes) {
        if (flow == null) {
            return null;
        }
        return new PacketReport.Packet(
                flow.saddr().toText(flow.family),
                flow.daddr().toText(flow.family),
                Words.protocol(flow.protocol),
                flow.sport,
                flow.dport,
                Integer.toUnsignedLong(flow.mark),
                flow.ifindex,
                bytes,
                Words.packet(flow, bytes));
    }

    private static PacketReport.Policy report(Policy policy) {
        PolicySpec spec = policy.spec();
        return new PacketReport.Policy(
                Integer.toUnsignedLong(spec.index()),
                Words.direction(spec.direction()),
                Integer.toUnsignedLong(spec.priority()),
                Words.direction(spec.type()),
                Words.direction(spec.action()),
                Words.selector(spec.selector()) + Words.mark(spec.mark()),
                Spd.isSocketPolicy(policy),
                Words.policy(policy));
    }

    private static PacketReport.State report(Passage passage) {
        StateSpec spec = passage.state().spec();
        return new PacketReport.State(
                Words.spi(spec.id().spi()),
                Words.protocol(spec.id().protocol()),
                spec.saddr().toText(spec.family()),
                spec.id().daddr().toText(spec.family()),
                spec.reqid(),
                Words.mode(spec.mode()),
                Long.toUnsignedString(passage.sequence()),
                passage.highest(),
                passage.windowBits(),
                Words.limits(passage),
                Words.state(passage.state()));
    }
}
