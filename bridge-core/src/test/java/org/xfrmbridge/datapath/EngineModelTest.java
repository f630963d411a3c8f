package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.model.ModelRun;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * The engine, the flow cache and the policy check, as they work together, against {@link NaiveXfrm}, which caches
 * nothing: after whatever changed, the next packet of any flow, known or not, gets what the databases say now. Time
 * passes, and what is to end then ends then.
 */
class EngineModelTest extends EngineModel {
    private static final int PACKET_BYTES = 100;
    private static final int KNOWN_FLOWS = 8;
    private static final String OWNER = "a process";

    private final PathContext context =
            PathContext.builder(databases, network, clock).build(engine);
    private final FlowInterfaces interfaces = new FlowInterfaces(context);
    private final OutboundResolver resolver =
            new OutboundResolver(context, new XfrmStats().newOutbound(), Steering.ALONE, new Identifications(0, 1));
    private final FlowCache<OutboundRoute> routes = new FlowCache<>(1 << 10, 7);
    private final PolicyCheck check = new PolicyCheck(context, new XfrmStats().newInbound(), Steering.ALONE);
    private final List<Flow> flows = new ArrayList<>();
    private final Map<Flow, List<State>> paths = new IdentityHashMap<>();
    private final Map<Flow, List<State>> used = new IdentityHashMap<>();

    @Test
    void shouldDoAsTheDatabasesSayWhateverHasChanged() {
        ModelRun.check(EngineModelTest::new);
    }

    @Override
    protected void operate(int index) {
        switch (random.nextInt(32)) {
            case 0, 1 -> addPolicy();
            case 2 -> deletePolicy();
            case 3 -> addState();
            case 4, 5 -> addServingState();
            case 6 -> answerLarval();
            case 7 -> deleteState();
            case 8 -> updateState();
            case 9 -> allocateSpi();
            case 10, 11 -> changeSocket();
            case 12 -> changeHost();
            case 13 -> wait(1 + random.nextInt(2));
            case 14 -> flush();
            case 15, 16, 17, 18, 19 -> receive();
            default -> send(flow(), false);
        }
    }

    @Override
    protected void finish() {
        assertEquals(naive.states.states.size(), sad.size());
        assertEquals(identities(naive.states.states), identities(all(engine.states(any -> true))));
    }

    // The host

    private void changeSocket() {
        int cookie = random.nextInt(4);
        NaiveXfrm.Socket old = naive.sockets.stream()
                .filter(socket -> socket.cookie() == cookie)
                .findFirst()
                .orElse(null);
        LocalEndpoint at = endpoint(flow());
        NaiveXfrm.Socket now = old == null ? new NaiveXfrm.Socket(cookie, at, null, null) : old;
        switch (random.nextInt(5)) {
            case 0 -> {
                say(() -> "close socket " + cookie);
                sockets.close(OWNER, cookie);
                now = null;
            }
            case 1 -> {
                say(() -> "clear policies of socket " + cookie);
                sockets.clearPolicies(OWNER, cookie);
                now = old == null ? null : new NaiveXfrm.Socket(cookie, old.at(), null, null);
            }
            case 2 -> {
                say(() -> "move socket " + cookie + " to " + at);
                sockets.move(OWNER, cookie, at);
                now = old == null ? null : new NaiveXfrm.Socket(cookie, at, old.in(), old.out());
            }
            default -> {
                PolicySpec spec =
                        entries.policy(random.nextBoolean() ? Direction.IN : Direction.OUT, PolicySpec.Type.MAIN);
                say(() -> "socket " + cookie + " at " + at + ": " + RandomEntries.text(spec));
                Policy policy = sockets.setPolicy(OWNER, cookie, at, spec, clock.epochSeconds());
                boolean in = spec.direction() == Direction.IN;
                now = new NaiveXfrm.Socket(cookie, at, in ? policy : now.in(), in ? now.out() : policy);
            }
        }
        naive.sockets.remove(old);
        if (now != null) {
            naive.sockets.add(now);
        }
    }

    /** Where a socket is bound that a flow leaves from or comes to. */
    private LocalEndpoint endpoint(Flow flow) {
        boolean out = random.nextBoolean();
        Address address = random.nextBoolean() ? Address.ANY : out ? flow.saddr() : flow.daddr();
        int family = address.equals(Address.ANY) && random.nextInt(4) == 0 ? AddressFamily.INET6 : flow.family;
        // One without a port is the kernel's to ask for.
        return new LocalEndpoint(family, flow.protocol, address, Math.max(1, out ? flow.sport : flow.dport));
    }

    private void changeHost() {
        switch (random.nextInt(3)) {
            case 0 -> {
                int[] verdicts = {1 + random.nextInt(2), 1 + random.nextInt(2), 1 + random.nextInt(2)};
                say(() -> "defaults in %d fwd %d out %d".formatted(verdicts[0], verdicts[1], verdicts[2]));
                assertDoesNotThrow(
                        () -> engine.setDefaults(new Defaults(verdicts[0], verdicts[1], verdicts[2]), Origin.KERNEL));
                naive.blocks[Direction.IN.number()] = verdicts[0] == 1;
                naive.blocks[Direction.FWD.number()] = verdicts[1] == 1;
                naive.blocks[Direction.OUT.number()] = verdicts[2] == 1;
            }
            case 1 -> {
                naive.hasRoute = random.nextInt(4) != 0;
                say(() -> naive.hasRoute ? "a route" : "no route");
                network.setGateway(
                        naive.hasRoute ? new NextHop(StaticNetwork.HOST_MAC, StaticNetwork.GATEWAY_MAC, 1500) : null);
            }
            default -> {
                int family = entries.family();
                context.pathMtu().learn(family, entries.host(family), 1280 + random.nextInt(200), clock.nowNs());
            }
        }
    }

    /** Second by second: what goes in each is what has reached its limit then, and nothing else. */
    private void wait(int seconds) {
        say(() -> "wait " + seconds + " s");
        for (int i = 0; i < seconds; i++) {
            Set<State> spent = identities(naive.states.states.stream()
                    .filter(state -> state.phase() == Phase.EXPIRED)
                    .toList());
            clock.advanceSeconds(1);
            engine.runTimers();
            for (State state : List.copyOf(naive.states.states)) {
                boolean ended = spent.contains(state)
                        || isPast(state.spec().lifetime(), state.usage(), clock.epochSeconds(), true);
                assertEquals(
                        ended,
                        state.phase() == Phase.DEAD,
                        () -> state + " after " + state.spec().lifetime());
                if (ended) {
                    naive.states.states.remove(state);
                } else {
                    boolean soft = isPast(state.spec().lifetime(), state.usage(), 0, false);
                    assertTrue(!soft || state.isDying() || state.phase() != Phase.VALID, () -> state + " is not dying");
                }
            }
            for (Policy policy : naive.policies.policies()) {
                boolean ended = isPast(
                        policy.spec().lifetime(), policy.usage(), policy.usage().addSeconds(), true);
                assertEquals(
                        ended,
                        policy.isDead(),
                        () -> policy + " after " + policy.spec().lifetime());
                if (ended) {
                    naive.policies.remove(policy);
                }
            }
        }
    }

    /** @param unused since when the limit by use counts before the first use; now or later for never */
    private boolean isPast(Lifetime limits, Usage usage, long unused, boolean hard) {
        long now = clock.epochSeconds();
        long add = hard ? limits.hardAddSeconds() : limits.softAddSeconds();
        long use = hard ? limits.hardUseSeconds() : limits.softUseSeconds();
        long used = usage.useSeconds() != 0 ? usage.useSeconds() : unused == 0 ? now : unused;
        return add != 0 && usage.addSeconds() + add <= now || use != 0 && used + use <= now;
    }

    // Packets

    private void send(Flow flow, boolean again) {
        say(() -> "send " + flow + " CPU " + flow.cpu);
        NaiveXfrm.Answer expected = naive.outbound(flow);
        OutboundRoute route = routes.get(flow);
        if (route == null || !route.isFresh(context, interfaces, flow, clock.nowNs())) {
            route = resolver.resolve(flow, 0, clock.nowNs());
            routes.put(flow, route);
        }
        route.touchPolicies(Steering.ALONE, clock.epochSeconds());
        assertEquals(expected.reason(), reasonOf(route.cause));
        assertEquals(expected.policies(), List.of(route.policies));
        List<State> states = new ArrayList<>();
        for (int i = 0; route.bundle != null && i < route.bundle.steps(); i++) {
            states.add(route.bundle.step(i).state());
        }
        // A State that is dying is used by those who know it until it goes, as by a kernel; others get a younger one.
        boolean kept = states.equals(used.get(flow)) && states.stream().anyMatch(State::isDying);
        assertEquals(expected.reason() != null ? List.of() : kept ? states : expected.states(), states);
        used.put(flow, states);
        states.forEach(this::use);
        engine.drainEvents();
        engine.runTimers();
        takeLarvals(expected.missing().size());
        naive.states.states.removeIf(state -> state.phase() == Phase.DEAD);
        if (isStillMissing(expected, flow)) {
            // A route that is known to lead nowhere may be kept for a moment before it asks again.
            assertFalse(again, () -> "nobody was asked for " + expected);
            wait(1);
            send(flow, true);
        }
    }

    /** A template that names a Spi which another State has cannot be asked for. */
    private boolean isStillMissing(NaiveXfrm.Answer asked, Flow flow) {
        List<Template> missing = naive.outbound(flow).missing();
        return asked.missing().stream().anyMatch(template -> template.id().spi() == 0 && missing.contains(template));
    }

    /** One that a known flow could use. */
    private void addServingState() {
        Flow flow = flow();
        List<PolicySpec> wanting = naive.outbound(flow).policies().stream()
                .map(Policy::spec)
                .filter(spec -> !spec.templates().isEmpty())
                .toList();
        if (!wanting.isEmpty()) {
            PolicySpec policy = wanting.get(random.nextInt(wanting.size()));
            Template template =
                    policy.templates().get(random.nextInt(policy.templates().size()));
            add(entries.serving(policy, template, flow).build());
        }
    }

    /** As a packet does: the one that crosses a limit still passes. */
    private void use(State state) {
        Lifetime limits = state.spec().lifetime();
        Usage usage = state.usage();
        boolean over = isSpent(state);
        boolean soft = reached(usage.bytes(), limits.softBytes()) || reached(usage.packets(), limits.softPackets());
        boolean looked = over || soft && !state.isDying();
        assertEquals(looked, state.isLimitReached());
        assertEquals(over, state.isSpent());
        if (looked) {
            engine.limitReached(state);
        }
        if (!over) {
            usage.count(PACKET_BYTES, clock.epochSeconds());
        }
        engine.drainEvents();
        // Who looks because of the soft limit finds the hard one reached by the packet that has passed since.
        assertEquals(looked && isSpent(state) ? Phase.EXPIRED : Phase.VALID, state.phase());
        assertTrue(!soft || state.isDying() || state.phase() == Phase.EXPIRED);
    }

    private static boolean isSpent(State state) {
        Lifetime limits = state.spec().lifetime();
        return reached(state.usage().bytes(), limits.hardBytes())
                || reached(state.usage().packets(), limits.hardPackets());
    }

    private static boolean reached(long used, long limit) {
        return limit != Lifetime.INFINITE && used >= limit;
    }

    private void takeLarvals(int most) {
        Set<State> known = identities(naive.states.states);
        List<State> fresh = all(engine.states(state -> !known.contains(state)));
        assertTrue(fresh.size() <= most, () -> "asked for " + fresh);
        fresh.forEach(state -> assertEquals(Phase.ACQUIRING, state.phase()));
        naive.states.states.addAll(fresh.reversed());
    }

    private void receive() {
        Flow flow = flow();
        Direction direction = random.nextBoolean() ? Direction.IN : Direction.FWD;
        SecPath path = new SecPath();
        path(flow).forEach(state -> path.add(state, 0));
        List<State> through = List.of(path.states());
        say(() -> "receive " + direction + " " + flow + " through " + through);
        DropReason expected = naive.inbound(direction, flow, through);
        assertEquals(
                expected,
                reasonOf(
                        check.judge(direction, flow, path, clock.epochSeconds()).cause()));
    }

    private static DropReason reasonOf(DropCause cause) {
        return cause == null ? null : cause.reason();
    }

    /** The way the flow's packets came before, as long as that is there. */
    private List<State> path(Flow flow) {
        List<State> path = paths.getOrDefault(flow, List.of());
        List<State> valid = naive.states.states.stream().filter(State::isValid).toList();
        if (random.nextInt(4) == 0 || !path.stream().allMatch(State::isValid)) {
            path = new ArrayList<>();
            for (int i = valid.isEmpty() ? 0 : random.nextInt(3); i > 0; i--) {
                path.add(valid.get(random.nextInt(valid.size())));
            }
            paths.put(flow, path);
        }
        return path;
    }

    /** One of a few that the caches know, now and then a new one. */
    private Flow flow() {
        if (flows.size() < KNOWN_FLOWS || random.nextInt(16) == 0) {
            Flow flow = entries.flow();
            if (flows.size() == KNOWN_FLOWS) {
                Flow old = flows.remove(random.nextInt(KNOWN_FLOWS));
                paths.remove(old);
                used.remove(old);
            }
            flows.add(flow);
            return flow;
        }
        return flows.get(random.nextInt(flows.size()));
    }
}
