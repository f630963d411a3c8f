package org.xfrmbridge.daemon.selection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.selection.ScopeSets.Limits;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies.Families;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpec.Action;
import org.xfrmbridge.xfrm.PolicySpec.Type;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.Template;

/** Random changes of the databases; after each, whatever they do not just let pass is selected. */
class SelectionModelTest {
    private static final Limits TIGHT = new Limits(4, 12);
    private static final Limits AMPLE = new Limits(1000, 1000);
    private static final int[] PROTOCOLS = {1, 6, 17, 47, 51, 58, 60, 132};
    private static final int[] LENGTHS4 = {0, 5, 8, 13, 16, 24, 27, 32, 32, 32};
    private static final int[] LENGTHS6 = {0, 9, 16, 40, 48, 64, 100, 128, 128};
    private static final Mark[] MARKS = {Mark.NONE, Mark.NONE, new Mark(1, 0xff), new Mark(2, 3), new Mark(7, -1)};
    private static final int BLOCK = 1;
    private static final int ACCEPT = 2;

    private final ManualClock clock = new ManualClock();
    private final Databases databases = new Databases();
    private final XfrmEngine engine = XfrmEngine.builder(databases, clock).build();
    private final SetTable table = new SetTable();
    private final Map<Integer, LocalEndpoint> sockets = new HashMap<>();
    private boolean barrier;
    private Selection selection;
    private Random random;
    private int selected;
    private int notSelected;
    private int bursts;

    private final class FlagBarrier implements Selection.Barrier {
        @Override
        public void close() {
            barrier = true;
        }

        @Override
        public void open() {
            barrier = false;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldSelectWhateverIsNotJustLetPass(int seed) throws Exception {
        random = new Random(seed);
        Limits limits = seed % 2 == 0 ? TIGHT : AMPLE;
        selection = new Selection(databases, table, new FlagBarrier(), clock, -1, limits);
        engine.listen(selection);
        selection.start();
        for (int round = 0; round < 40; round++) {
            // Many come in one round, most go in the next.
            int adding = round % 2 == 0 ? 8 : 2;
            for (int i = 0; i < 60; i++) {
                if (seed > 4 && random.nextInt(30) == 0) {
                    table.fail(1 + random.nextInt(3));
                }
                change(adding);
                bursts += table.isWide(Direction.OUT, AddressFamily.INET) ? 1 : 0;
                judge(20);
                clock.advanceNs(random.nextInt(40_000_000));
                selection.afterEachRound();
                table.assertWithin(limits.levels(), limits.elements());
                judge(5);
            }
            calm();
        }
        assertTrue(selected > 1000 && notSelected > 1000 && bursts > 100, selected + " " + notSelected + " " + bursts);
        end();
        assertTrue(table.isEmpty(), () -> "left: " + table.levels());
    }

    private void change(int adding) throws XfrmException {
        try {
            switch (random.nextInt(14)) {
                case 0 -> setSocketPolicy();
                case 1 -> moveOrCloseSocket();
                case 2 -> rarely();
                case 3 -> {
                    clock.advanceSeconds(random.nextInt(3));
                    engine.runTimers();
                }
                default -> {
                    if (random.nextInt(10) < adding) {
                        engine.addPolicy(policy(), false, Origin.KERNEL);
                    } else {
                        delete();
                    }
                }
            }
        } catch (XfrmException e) {
            assertTrue(!"a policy allows or blocks".equals(e.getMessage()), e.getMessage());
        }
    }

    private void rarely() throws XfrmException {
        if (random.nextInt(6) == 0) {
            engine.flushPolicies(random.nextInt(3) == 0 ? Type.SUB : Type.MAIN, Origin.KERNEL);
        } else if (random.nextInt(3) == 0) {
            engine.setDefaults(new XfrmService.Defaults(verdict(), verdict(), verdict()), Origin.KERNEL);
        }
    }

    private int verdict() {
        return random.nextInt(6) == 0 ? BLOCK : ACCEPT;
    }

    private void delete() throws XfrmException {
        List<Policy> all = all();
        if (!all.isEmpty()) {
            Policy policy = all.get(random.nextInt(all.size()));
            engine.deletePolicy(key(policy.spec()), Origin.KERNEL);
        }
    }

    private List<Policy> all() {
        List<Policy> all = new ArrayList<>();
        var walk = engine.policies(null);
        for (Policy policy = walk.next(); policy != null; policy = walk.next()) {
            if ((policy.spec().index() & 7) < 3) {
                all.add(policy);
            }
        }
        return all;
    }

    private static PolicyKey key(PolicySpec spec) {
        return new PolicyKey(
                spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), spec.securityContext());
    }

    private PolicySpec policy() {
        int family = family();
        int protocol = random.nextBoolean() ? 0 : pick(PROTOCOLS);
        Selector.Builder selector = Selector.of(family)
                .saddr(address(family), length(family))
                .daddr(address(family), length(family))
                .protocol(protocol);
        if (random.nextInt(3) == 0) {
            selector.sport(port(), random.nextInt(4) == 0 ? 0xfff0 : 0xffff);
        }
        if (random.nextInt(3) == 0) {
            selector.dport(port());
        }
        if (random.nextInt(8) == 0) {
            selector.ifindex(3);
        }
        return spec(selector.build(), Direction.of(random.nextInt(3))).toBuilder()
                .type(random.nextInt(4) == 0 ? Type.SUB : Type.MAIN)
                .priority(random.nextInt(4))
                .mark(MARKS[random.nextInt(MARKS.length)])
                .ifId(random.nextInt(12) == 0 ? 5 : 0)
                .lifetime(
                        random.nextInt(8) == 0
                                ? Lifetime.builder().hardAddSeconds(2).build()
                                : Lifetime.UNLIMITED)
                .build();
    }

    private PolicySpec spec(Selector selector, Direction direction) {
        Template template = Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(selector.family())
                .mode(Mode.TRANSPORT)
                .optional(random.nextInt(4) == 0)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .direction(direction)
                .action(random.nextInt(5) == 0 ? Action.BLOCK : Action.ALLOW)
                .templates(random.nextInt(3) == 0 ? List.of() : List.of(template))
                .build();
    }

    private void setSocketPolicy() throws XfrmException {
        int number = random.nextInt(6);
        LocalEndpoint at = sockets.computeIfAbsent(number, none -> endpoint());
        int family = random.nextInt(4) == 0 ? AddressFamily.INET : at.family();
        Selector selector = Selector.of(family)
                .protocol(random.nextInt(3) == 0 ? at.protocol() : 0)
                .build();
        Direction direction = random.nextBoolean() ? Direction.IN : Direction.OUT;
        engine.setSocketPolicy("owner", number, at, spec(selector, direction), Origin.Interface.NETLINK);
    }

    private LocalEndpoint endpoint() {
        int family = family();
        int protocol = random.nextBoolean() ? 17 : pick(PROTOCOLS);
        int port = random.nextInt(5) - 1;
        Address address = random.nextBoolean() ? Address.ANY : address(family);
        return new LocalEndpoint(family, protocol, address, port, Families.BOTH);
    }

    private void moveOrCloseSocket() {
        int number = random.nextInt(6);
        if (random.nextBoolean()) {
            sockets.remove(number);
            databases.sockets().close("owner", number);
        } else if (sockets.containsKey(number)) {
            sockets.put(number, endpoint());
            databases.sockets().move("owner", number, sockets.get(number));
        }
    }

    private int family() {
        return random.nextInt(3) == 0 ? AddressFamily.INET6 : AddressFamily.INET;
    }

    private int pick(int... numbers) {
        return numbers[random.nextInt(numbers.length)];
    }

    private int length(int family) {
        return family == AddressFamily.INET ? pick(LENGTHS4) : pick(LENGTHS6);
    }

    private int port() {
        return random.nextInt(4);
    }

    /** Few bits differ, in the places where prefixes end. */
    private Address address(int family) {
        long high = 0x2001_0db8_0000_0000L;
        for (int bit = 0; bit < 64; bit += family == AddressFamily.INET ? 4 : 8) {
            high ^= random.nextInt(6) == 0 ? 1L << bit : 0;
        }
        return family == AddressFamily.INET
                ? Address.ofIpv4((int) (high >>> 32))
                : new Address(high, (long) random.nextInt(3) << random.nextInt(63));
    }

    private Flow flow() {
        Flow flow = new Flow();
        flow.family = family();
        Address saddr = address(flow.family);
        Address daddr = address(flow.family);
        flow.saddrHigh = saddr.high();
        flow.saddrLow = saddr.low();
        flow.daddrHigh = daddr.high();
        flow.daddrLow = daddr.low();
        flow.protocol = pick(PROTOCOLS);
        flow.sport = port();
        flow.dport = port();
        flow.mark = random.nextInt(9);
        flow.ifindex = 2 + random.nextInt(2);
        return flow;
    }

    private void judge(int flows) {
        for (int i = 0; i < flows && !barrier; i++) {
            Flow flow = flow();
            // What the host's stack takes for the upper protocol stands behind such a header.
            Flow seen = new Flow().copyFrom(flow);
            seen.protocol = flow.family == AddressFamily.INET6 && hides(flow) ? IpProtocol.TCP : flow.protocol;
            for (Direction direction : Direction.values()) {
                boolean is = table.selects(direction, seen);
                boolean must = isRuled(direction, flow);
                assertTrue(is || !must, () -> direction + " " + flow + " mark " + flow.mark + ": " + all());
                selected += must ? 1 : 0;
                notSelected += is ? 0 : 1;
            }
        }
    }

    private static boolean hides(Flow flow) {
        return flow.protocol == IpProtocol.AH || flow.protocol == IpProtocol.DSTOPTS;
    }

    private boolean isRuled(Direction direction, Flow flow) {
        Policy ofSocket = databases.sockets().lookup(direction, flow);
        Policy floating =
                direction == Direction.FWD ? null : databases.sockets().lookupFloating(direction, flow);
        if (rules(ofSocket) || rules(floating)) {
            return true;
        }
        Policy sub = databases.spd().lookup(Type.SUB, direction, flow);
        Policy main = databases.spd().lookup(Type.MAIN, direction, flow);
        Direction second = direction == Direction.FWD ? Direction.IN : direction;
        Policy besideSub = databases.spd().lookup(Type.MAIN, second, flow);
        if (sub != null) {
            return rules(sub) || rules(besideSub);
        }
        if (main != null) {
            return rules(main);
        }
        return databases.spd().defaultAction(direction) == Action.BLOCK || isErrorOfRuled(direction, flow);
    }

    /** An ICMP error may be about anything. */
    private boolean isErrorOfRuled(Direction direction, Flow flow) {
        int icmp = flow.family == AddressFamily.INET ? IpProtocol.ICMP : IpProtocol.ICMPV6;
        return direction == Direction.FWD
                && flow.protocol == icmp
                && rules(databases.spd().lookup(Type.MAIN, direction, about(flow)));
    }

    private Flow about(Flow flow) {
        Flow about = flow();
        while (about.family != flow.family) {
            about = flow();
        }
        return about;
    }

    private static boolean rules(Policy policy) {
        return policy != null
                && (policy.spec().action() == Action.BLOCK
                        || !policy.spec().templates().isEmpty());
    }

    private void calm() {
        table.fail(0);
        for (int i = 0; i < 30; i++) {
            clock.advanceNs(50_000_000);
            selection.afterEachRound();
        }
        assertEquals(Long.MAX_VALUE, selection.nextDeadlineNs());
        assertTrue(!barrier && !selection.isClosed());
    }

    private void end() throws XfrmException {
        engine.setDefaults(new XfrmService.Defaults(ACCEPT, ACCEPT, ACCEPT), Origin.KERNEL);
        for (Policy policy : all()) {
            engine.deletePolicy(key(policy.spec()), Origin.KERNEL);
        }
        databases.sockets().closeAll("owner");
        calm();
    }
}
