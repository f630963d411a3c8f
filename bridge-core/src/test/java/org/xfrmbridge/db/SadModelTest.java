package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.model.Model;
import org.xfrmbridge.model.ModelRun;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/** The Sad against a {@link StateList}. */
class SadModelTest extends Model {
    private static final int SECONDS = 50_000;
    private static final int[] PROTOCOLS = {
        IpProtocol.ESP, IpProtocol.ESP, IpProtocol.ESP, IpProtocol.AH, IpProtocol.ROUTING
    };
    private static final Phase[] PHASES = {
        Phase.VALID, Phase.VALID, Phase.VALID, Phase.VALID, Phase.ACQUIRING, Phase.ERROR, Phase.EXPIRED
    };

    private final Sad sad = new Sad();
    private final StateList list = new StateList();
    private final List<State> model = list.states;
    private final Flow flow = new Flow();
    private final RandomFlows flows = new RandomFlows(random);

    @Test
    void shouldAnswerLikeAListWhenStatesComeAndGo() {
        ModelRun.check(SadModelTest::new);
    }

    @Override
    protected void operate(int index) {
        switch (random.nextInt(10)) {
            case 0, 1 -> insert(index);
            case 2 -> remove(model.size() > 100 + index / 100 ? 4 : 1);
            case 3 -> change(index);
            case 4 -> compareSequences();
            case 5, 6 -> compareLookups();
            default -> compareFinds();
        }
    }

    @Override
    protected void finish() {
        compareWalk();
        remove(model.size());
        assertEquals(0, sad.size());
        assertNull(sad.walk(state -> true).next());
    }

    private Address address(int family) {
        if (random.nextInt(5) == 0) {
            return Address.ANY;
        }
        // What a client leaves behind an IPv4 address must not count.
        return family == AddressFamily.INET
                ? new Address((long) (0x0a000000 | random.nextInt(3)) << 32 | random.nextInt(2), random.nextInt(2))
                : new Address(0x20010db8L << 32, random.nextInt(3));
    }

    private StateSpecBuilder spec() {
        StateSpecBuilder spec = StateSpec.builder().family(flows.family());
        spec.id(new StateId(address(spec.family()), random.nextInt(6), PROTOCOLS[random.nextInt(PROTOCOLS.length)]));
        spec.saddr(address(spec.family()))
                .seq(random.nextInt(4) == 0 ? random.nextInt(50) : 0)
                .reqid(random.nextInt(2))
                .mode(random.nextInt(4) == 0 ? Mode.TUNNEL : Mode.TRANSPORT)
                .mark(flows.mark())
                .ifId(random.nextInt(6) == 0 ? 1 : 0)
                .flags(random.nextInt(20) == 0 ? StateFlags.WILDRECV : 0)
                .pcpu(cpu());
        if (random.nextInt(4) == 0) {
            spec.selector(flows.selector(flows.family()));
        }
        return spec;
    }

    private int cpu() {
        return random.nextInt(4) == 0 ? random.nextInt(2) : -1;
    }

    /** Seconds that mostly go on, as clocks do; NEWAE sets any. */
    private Usage usage(int operation) {
        return new Usage(random.nextInt(5) == 0 ? random.nextInt(SECONDS) : operation / 50);
    }

    private void insert(int operation) {
        State state = new State(spec().build(), PHASES[random.nextInt(PHASES.length)], usage(operation));
        StateSpec spec = state.spec();
        Address daddr = sameToo(spec.id().daddr(), spec.family());
        Address saddr = sameToo(spec.saddr(), spec.family());
        StateFreshness freshness = freshness(spec, daddr, saddr);
        StateFreshness fromAny = freshness(spec, daddr, flows.address(spec.family()));
        assertTrue(freshness.holds());
        say(() -> "insert " + state + " of " + spec);
        sad.insert(state);
        model.add(state);
        assertFalse(freshness.holds());
        assertTrue(!spec.saddr().isAny(spec.family()) || !fromAny.holds());
    }

    private StateFreshness freshness(StateSpec spec, Address daddr, Address saddr) {
        Template template = Template.builder()
                .id(spec.id())
                .family(spec.family())
                .saddr(spec.saddr())
                .reqid(spec.reqid())
                .mode(spec.mode())
                .build();
        return sad.freshness(new Policy(PolicySpec.builder().ifId(spec.ifId()).build(), 0, 0), template, daddr, saddr);
    }

    /** The same address with other bytes behind it. */
    private Address sameToo(Address address, int family) {
        return family == AddressFamily.INET
                ? new Address(address.high() ^ random.nextInt(2), random.nextInt(2))
                : address;
    }

    private void remove(int count) {
        for (int i = 0; i < count && !model.isEmpty(); i++) {
            State state = model.remove(random.nextInt(model.size()));
            say(() -> "remove " + state);
            sad.remove(state);
            assertEquals(Phase.DEAD, state.phase());
            assertNull(state.entry());
        }
    }

    private void change(int operation) {
        if (model.isEmpty()) {
            return;
        }
        State state = model.get(random.nextInt(model.size()));
        say(() -> "change " + state);
        switch (random.nextInt(4)) {
            case 0 -> state.setDying(random.nextBoolean());
            case 1 -> state.enter(state.phase() == Phase.VALID ? Phase.EXPIRED : state.phase());
            case 2 -> becomeYoungest(state, () -> sad.resetUsage(state, usage(operation)));
            default -> becomeYoungest(state, () -> sad.respec(state, moved(state.spec())));
        }
    }

    private StateSpec moved(StateSpec spec) {
        return spec.toBuilder()
                .id(new StateId(
                        address(spec.family()), 1 + random.nextInt(5), spec.id().protocol()))
                .ifId(random.nextInt(2))
                .reqid(spec.reqid() ^ 1)
                .pcpu(cpu())
                .build();
    }

    /** A State that moves is the youngest of its new neighbours; walks still show it where it was. */
    private void becomeYoungest(State state, Runnable change) {
        compareWalk();
        change.run();
        Dump<State> walk = sad.walk(any -> true);
        for (State expected : model.reversed()) {
            assertSame(expected, walk.next());
        }
        // The lists agree again once it is really added last.
        StateSpec spec = state.spec();
        State again = new State(spec, state.phase(), state.usage());
        again.setDying(state.isDying());
        model.remove(state);
        sad.remove(state);
        sad.insert(again);
        model.add(again);
    }

    private void compareLookups() {
        StateSpec wanted = spec().build();
        StateId id = wanted.id();
        int mark = random.nextInt(6);
        say(() -> "look up " + id + " mark " + mark);
        State byId = id.spi() == 0 || id.protocol() == IpProtocol.ROUTING ? null : youngest(wanted, mark, true);
        assertSame(byId, sad.lookup(id, wanted.family(), mark));
        State bySource = id.protocol() == IpProtocol.ROUTING ? youngest(wanted, mark, false) : null;
        assertSame(bySource, sad.lookupByAddress(id.daddr(), wanted.saddr(), id.protocol(), wanted.family(), mark));
        compareNames(wanted);
    }

    private void compareNames(StateSpec wanted) {
        StateId id = wanted.id();
        Mark mark = wanted.mark();
        Predicate<Mark> same =
                other -> other.mask() == mark.mask() && other.sanitized().equals(mark.sanitized());
        say(() -> "look up " + id + " named with " + mark);
        State byId = id.spi() == 0 || id.protocol() == IpProtocol.ROUTING ? null : youngest(wanted, same, true);
        assertSame(byId, sad.named(id, wanted.family(), mark));
        State bySource = id.protocol() == IpProtocol.ROUTING ? youngest(wanted, same, false) : null;
        assertSame(bySource, sad.named(id.daddr(), wanted.saddr(), id.protocol(), wanted.family(), mark));
    }

    private State youngest(StateSpec wanted, int mark, boolean bySpi) {
        return youngest(wanted, other -> (mark & other.mask()) == other.value(), bySpi);
    }

    private State youngest(StateSpec wanted, Predicate<Mark> fits, boolean bySpi) {
        for (State state : model.reversed()) {
            StateSpec spec = state.spec();
            if (spec.family() == wanted.family()
                    && spec.id().protocol() == wanted.id().protocol()
                    && spec.id().daddr().equalsAs(wanted.id().daddr(), spec.family())
                    && (bySpi
                            ? spec.id().spi() == wanted.id().spi()
                            : spec.saddr().equalsAs(wanted.saddr(), spec.family()))
                    && fits.test(spec.mark())) {
                return state;
            }
        }
        return null;
    }

    private void compareSequences() {
        int sequence = 1 + random.nextInt(50);
        int mark = random.nextInt(6);
        int cpu = cpu();
        say(() -> "look up number " + sequence + " mark " + mark + " CPU " + cpu);
        State larval = null;
        for (State state : model.reversed()) {
            StateSpec spec = state.spec();
            boolean fits = spec.seq() == sequence
                    && spec.mark().fits(mark)
                    && state.phase() == Phase.ACQUIRING
                    && spec.pcpu() == cpu;
            larval = larval == null && fits ? state : larval;
        }
        assertSame(larval, sad.larvalBySequence(sequence, mark, cpu));
    }

    private void compareFinds() {
        StateSpec wanted = spec().build();
        flows.fill(flow, flows.family());
        flow.cpu = random.nextInt(3) - 1;
        boolean anySpi = random.nextInt(4) != 0;
        StateId id = new StateId(
                wanted.id().daddr(), anySpi ? 0 : wanted.id().spi(), wanted.id().protocol());
        Template template = Template.builder()
                .id(id)
                .family(wanted.family())
                .saddr(wanted.saddr())
                .reqid(wanted.reqid())
                .mode(wanted.mode())
                .build();
        Mark mark = flows.mark();
        say(() -> "find for " + template + " mark " + mark + " flow " + flow + " CPU " + flow.cpu);
        PolicySpec policy = PolicySpec.builder()
                .selector(Selector.any(2))
                .templates(List.of(template))
                .mark(mark)
                .ifId(wanted.ifId())
                .build();
        Policy asking = new Policy(policy, 0, 0);
        State found = sad.find(asking, template, flow, id.daddr(), wanted.saddr());
        State forCpu = sad.acquiringForCpu(asking, template, flow.cpu, id.daddr(), wanted.saddr());
        StateList.Verdict expected = list.find(policy, template, flow, id.daddr(), wanted.saddr());
        if (expected.best != null) {
            assertSame(expected.best, found);
        } else if (expected.acquiring) {
            assertEquals(Phase.ACQUIRING, found.phase());
        } else if (expected.failed) {
            assertFalse(found.phase() == Phase.VALID || found.phase() == Phase.ACQUIRING);
        } else {
            assertNull(found);
        }
        assertEquals(expected.acquiringForCpu, forCpu != null);
        assertEquals(larval(wanted), sad.larval(wanted) != null);
    }

    private boolean larval(StateSpec wanted) {
        int mark = wanted.mark().value() & wanted.mark().mask();
        return model.stream().anyMatch(state -> {
            StateSpec spec = state.spec();
            return state.phase() == Phase.ACQUIRING
                    && spec.id().spi() == 0
                    && spec.family() == wanted.family()
                    && spec.mode() == wanted.mode()
                    && spec.reqid() == wanted.reqid()
                    && spec.ifId() == wanted.ifId()
                    && spec.pcpu() == wanted.pcpu()
                    && spec.id().protocol() == wanted.id().protocol()
                    && spec.id().daddr().equalsAs(wanted.id().daddr(), spec.family())
                    && spec.saddr().equalsAs(wanted.saddr(), spec.family())
                    && spec.mark().fits(mark);
        });
    }

    private void compareWalk() {
        Dump<State> walk = sad.walk(state -> state.spec().reqid() == 0);
        for (State expected : model.reversed()) {
            if (expected.spec().reqid() == 0) {
                assertSame(expected, walk.next());
            }
        }
        assertNull(walk.next());
        assertEquals(model.size(), sad.size());
    }
}
