package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** Entries and flows from a world of four hosts and two tunnel ends in each family, so small that they meet often. */
final class RandomEntries {
    static final Address LOCAL4 = Address.parse("192.0.2.1");
    static final Address LOCAL6 = Address.parse("2001:db8:ffff::1");

    private static final String[] HOSTS4 = {"10.1.0.1", "10.1.0.2", "10.1.128.1", "203.0.113.1"};
    private static final String[] HOSTS6 = {"fd01::1", "fd01::2", "fd01:0:0:8000::1", "2001:db8:1::1"};
    private static final String[] ENDS4 = {"198.51.100.1", "198.51.100.2"};
    private static final String[] ENDS6 = {"2001:db8:ffff::2", "2001:db8:ffff::3"};
    private static final int[] PREFIXES4 = {0, 8, 16, 17, 30, 32};
    private static final int[] PREFIXES6 = {0, 16, 48, 50, 64, 126, 128};
    private static final int[] PROTOCOLS = {IpProtocol.TCP, IpProtocol.UDP, IpProtocol.ICMP};
    private static final Mark[] MARKS = {
        Mark.NONE, Mark.NONE, Mark.NONE, Mark.NONE, new Mark(1, 3), new Mark(2, -1), new Mark(0, 1)
    };
    private static final int LATEST_SECONDS = 20;

    /** One more than flows are of. */
    static final int CPUS = 3;

    private final Random random;

    RandomEntries(Random random) {
        this.random = random;
    }

    private static <T> T pick(Random random, T[] values) {
        return values[random.nextInt(values.length)];
    }

    private boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    int family() {
        return random.nextBoolean() ? AddressFamily.INET : AddressFamily.INET6;
    }

    Address host(int family) {
        return Address.parse(pick(random, family == AddressFamily.INET ? HOSTS4 : HOSTS6));
    }

    private Address end(int family) {
        return Address.parse(pick(random, family == AddressFamily.INET ? ENDS4 : ENDS6));
    }

    private static Address local(int family) {
        return family == AddressFamily.INET ? LOCAL4 : LOCAL6;
    }

    int protocol() {
        return PROTOCOLS[random.nextInt(PROTOCOLS.length)];
    }

    /** Ports, or type and code of ICMP. */
    int port() {
        return random.nextInt(3);
    }

    Flow flow() {
        Flow flow = new Flow();
        flow.family = family();
        Address saddr = host(flow.family);
        Address daddr = host(flow.family);
        flow.saddrHigh = saddr.high();
        flow.saddrLow = saddr.low();
        flow.daddrHigh = daddr.high();
        flow.daddrLow = daddr.low();
        flow.protocol = protocol();
        flow.sport = port();
        flow.dport = port();
        flow.mark = random.nextInt(4);
        flow.ifindex = random.nextInt(2);
        flow.ifId = oneIn(8) ? 1 : 0;
        // What comes by one queue, of which an equal flow is.
        flow.cpu = (flow.sport + flow.dport) % 3 - 1;
        return flow;
    }

    private Selector selector(int family) {
        int[] prefixes = family == AddressFamily.INET ? PREFIXES4 : PREFIXES6;
        return Selector.of(family)
                .saddr(host(family), prefixes[random.nextInt(prefixes.length)])
                .daddr(host(family), prefixes[random.nextInt(prefixes.length)])
                .sport(port(), oneIn(4) ? 0xfffe : 0)
                .dport(port(), oneIn(4) ? 0xffff : 0)
                .protocol(oneIn(3) ? protocol() : 0)
                .ifindex(oneIn(8) ? 1 : 0)
                .build();
    }

    PolicySpec policy(Direction direction, PolicySpec.Type type) {
        int family = family();
        PolicySpec.Action action = oneIn(8) ? PolicySpec.Action.BLOCK : PolicySpec.Action.ALLOW;
        return PolicySpec.builder()
                .selector(selector(family))
                .lifetime(oneIn(6) ? seconds() : Lifetime.UNLIMITED)
                .priority(random.nextInt(3))
                .direction(direction)
                .action(action)
                .flags(oneIn(3) ? PolicySpec.CPU_ACQUIRE : 0)
                .templates(templates(family, direction))
                .mark(pick(random, MARKS))
                .ifId(oneIn(8) ? 1 : 0)
                .type(type)
                .build();
    }

    private List<Template> templates(int policyFamily, Direction direction) {
        List<Template> templates = new ArrayList<>();
        int family = policyFamily;
        for (int i = random.nextInt(4); i > 0; i--) {
            boolean tunnel = oneIn(2);
            family = tunnel ? family() : family;
            Address saddr = tunnel && random.nextBoolean() ? local(family) : Address.ANY;
            StateId id =
                    new StateId(tunnel ? end(family) : Address.ANY, oneIn(8) ? 1 + random.nextInt(6) : 0, transform());
            boolean optional = oneIn(3) && (!tunnel || direction != Direction.OUT);
            templates.add(Template.builder()
                    .id(id)
                    .family(family)
                    .saddr(saddr)
                    .reqid(random.nextInt(2))
                    .mode(tunnel ? Mode.TUNNEL : Mode.TRANSPORT)
                    .optional(optional)
                    .build());
        }
        return templates;
    }

    private int transform() {
        return random.nextBoolean() ? IpProtocol.ESP : IpProtocol.AH;
    }

    /** A State that can be added, without encryption or authentication worth the name. */
    StateSpecBuilder state() {
        StateSpecBuilder spec = StateSpec.builder();
        boolean tunnel = oneIn(2);
        spec.family(family()).mode(tunnel ? Mode.TUNNEL : Mode.TRANSPORT);
        spec.id(new StateId(
                tunnel ? end(spec.family()) : oneIn(3) ? end(spec.family()) : host(spec.family()),
                1 + random.nextInt(6),
                transform()));
        spec.saddr(oneIn(4) ? Address.ANY : tunnel || oneIn(3) ? local(spec.family()) : host(spec.family()))
                .reqid(random.nextInt(2))
                .mark(pick(random, MARKS))
                .ifId(oneIn(8) ? 1 : 0)
                .flags(oneIn(16) ? StateFlags.WILDRECV : 0);
        if (tunnel) {
            spec.flags(spec.flags() | StateFlags.AF_UNSPEC);
        }
        forOneCpu(spec);
        if (oneIn(4)) {
            spec.selector(selector(tunnel ? family() : spec.family()));
        }
        spec.lifetime(oneIn(3) ? oneIn(2) ? seconds() : traffic() : Lifetime.UNLIMITED);
        return complete(spec);
    }

    private void forOneCpu(StateSpecBuilder spec) {
        if (oneIn(4)) {
            spec.direction(StateSpec.DIRECTION_OUT)
                    .pcpu(random.nextInt(CPUS))
                    .flags(spec.flags() & ~StateFlags.WILDRECV);
        }
    }

    /** A State for a template of a policy and a flow, but for its lifetime. */
    StateSpecBuilder serving(PolicySpec policy, Template template, Flow flow) {
        StateSpecBuilder spec = state();
        boolean tunnel = template.mode() == Mode.TUNNEL;
        spec.family(template.family()).mode(template.mode());
        int spi = template.id().spi() != 0 ? template.id().spi() : spec.id().spi();
        Address daddr = tunnel || flow.family != template.family() ? end(spec.family()) : flow.daddr();
        spec.id(new StateId(
                tunnel ? template.id().daddr() : daddr, spi, template.id().protocol()));
        Address saddr = tunnel || flow.family != template.family() ? local(spec.family()) : flow.saddr();
        spec.saddr(oneIn(4) ? Address.ANY : saddr)
                .reqid(template.reqid())
                .mark(oneIn(2) ? Mark.NONE : policy.mark())
                .ifId(policy.ifId())
                .flags(tunnel ? StateFlags.AF_UNSPEC : 0);
        forOneCpu(spec);
        spec.selector(oneIn(4) ? spec.selector() : Selector.any(AddressFamily.UNSPEC));
        return complete(spec);
    }

    /** With algorithms and, in transport mode, which cannot change it, a selector of its family. */
    static StateSpecBuilder complete(StateSpecBuilder spec) {
        boolean strange = spec.selector().family() != AddressFamily.UNSPEC
                && spec.selector().family() != spec.family();
        if (spec.mode() == Mode.TRANSPORT && strange) {
            spec.selector(Selector.any(spec.family()));
        }
        spec.auth(new Algorithm("digest_null", 0, 0, new byte[0]));
        spec.cipher(
                spec.id().protocol() == IpProtocol.ESP ? new Algorithm("ecb(cipher_null)", 0, 0, new byte[0]) : null);
        return spec;
    }

    Lifetime lifetime() {
        return oneIn(2) ? seconds() : oneIn(2) ? traffic() : Lifetime.UNLIMITED;
    }

    private Lifetime seconds() {
        long none = Lifetime.INFINITE;
        return Lifetime.builder()
                .softAddSeconds(some())
                .hardAddSeconds(some())
                .softUseSeconds(some())
                .hardUseSeconds(some())
                .build();
    }

    private long some() {
        return oneIn(2) ? 0 : 1 + random.nextInt(LATEST_SECONDS);
    }

    private Lifetime traffic() {
        return Lifetime.builder()
                .softBytes(limit(400))
                .hardBytes(limit(800))
                .softPackets(limit(4))
                .hardPackets(limit(8))
                .build();
    }

    private long limit(int most) {
        return oneIn(2) ? Lifetime.INFINITE : 1 + random.nextInt(most);
    }

    /** What tells one State from another here. */
    static String text(StateSpec spec) {
        return "%s CPU %d from %s reqid %d %s mark %s if %d seq %d flags %d for %s%s"
                .formatted(
                        spec.id(),
                        spec.pcpu(),
                        spec.saddr().toText(spec.family()),
                        spec.reqid(),
                        spec.mode(),
                        text(spec.mark()),
                        spec.ifId(),
                        spec.seq(),
                        spec.flags(),
                        text(spec.selector()),
                        text(spec.lifetime()));
    }

    static String text(PolicySpec spec) {
        return "policy %s %s %s flags %d priority %d for %s mark %s if %d templates %s%s"
                .formatted(
                        spec.direction(),
                        spec.type(),
                        spec.action(),
                        spec.flags(),
                        spec.priority(),
                        text(spec.selector()),
                        text(spec.mark()),
                        spec.ifId(),
                        spec.templates().stream().map(RandomEntries::text).toList(),
                        text(spec.lifetime()));
    }

    private static String text(Template template) {
        return "%s from %s reqid %d %s%s"
                .formatted(
                        template.id(),
                        template.saddr().toText(template.family()),
                        template.reqid(),
                        template.mode(),
                        template.optional() ? " optional" : "");
    }

    private static String text(Mark mark) {
        return "%d/%d".formatted(mark.value(), mark.mask());
    }

    private static String text(Selector selector) {
        int family = selector.family();
        return family == AddressFamily.UNSPEC
                ? "anything"
                : "%s/%d:%d/%x > %s/%d:%d/%x protocol %d dev %d"
                        .formatted(
                                selector.saddr().toText(family),
                                selector.saddrPrefix(),
                                selector.sport(),
                                selector.sportMask(),
                                selector.daddr().toText(family),
                                selector.daddrPrefix(),
                                selector.dport(),
                                selector.dportMask(),
                                selector.protocol(),
                                selector.ifindex());
    }

    private static String text(Lifetime lifetime) {
        return lifetime.equals(Lifetime.UNLIMITED) ? "" : " " + lifetime;
    }
}
