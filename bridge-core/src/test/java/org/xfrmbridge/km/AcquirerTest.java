package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.km.XfrmService.AlgorithmMasks;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

class AcquirerTest extends EngineFixture {
    private final Template template = tunnel(1);
    private Policy policy;
    private Flow flow;

    @BeforeEach
    void setUp() throws XfrmException {
        policy = engine.addPolicy(policy(hosts("10.1.0.1", "10.2.0.2"), template), true, ASKER);
        flow = new Flow();
        flow.family = AddressFamily.INET;
        flow.saddrHigh = Address.parse("10.1.0.1").high();
        flow.daddrHigh = Address.parse("10.2.0.2").high();
        flow.protocol = IpProtocol.UDP;
        flow.sport = 1000;
        flow.dport = 53;
        keyManager.take();
    }

    private void want() {
        engine.acquire(policy, template, flow, RIGHT, LEFT, shown -> shown.ifindex);
    }

    private State acquired() {
        want();
        engine.drainEvents();
        keyManager.take();
        return all(engine.states(state -> true)).getFirst();
    }

    @Test
    void shouldAskAndLeaveALarvalStateForThisSessionOnly() {
        want();
        flow.dport = 80;
        assertEquals(1, wakeups);
        engine.drainEvents();

        heard("acquire 1");
        StateSpec larval = all(engine.states(state -> true)).getFirst().spec();
        assertEquals(
                Selector.of(AddressFamily.INET)
                        .saddr(flow.saddr(), 32)
                        .daddr(flow.daddr(), 32)
                        .sport(1000)
                        .dport(53)
                        .protocol(17)
                        .build(),
                larval.selector());
        assertEquals(new StateId(RIGHT, 0, IpProtocol.ESP), larval.id());
        assertEquals(LEFT, larval.saddr());
        assertEquals(1, larval.seq());
        assertEquals(1, larval.reqid());
        assertEquals(StateSpec.DIRECTION_OUT, larval.direction());
        assertSame(policy, keyManager.acquires.getFirst().policy());
        assertSame(larval, keyManager.acquires.getFirst().larval().spec());
    }

    @Test
    void shouldAskOnceWhileTheAnswerIsAwaited() {
        want();
        want();
        engine.drainEvents();
        want();
        engine.drainEvents();

        heard("acquire 1");
    }

    @Test
    void shouldAskOnceForEachCpuWhereThePolicyWantsThatAndAStateForAllIsThere() throws XfrmException {
        start(builder().cpus(8));
        flow.cpu = 7;
        engine.addState(esp(1), ASKER);
        keyManager.take();
        want();
        engine.drainEvents();
        heard();

        policy = engine.addPolicy(
                policy.spec().toBuilder().flags(PolicySpec.CPU_ACQUIRE).build(), false, ASKER);
        keyManager.take();
        want();
        want();
        flow.cpu = 6;
        want();
        flow.cpu = Flow.NO_CPU;
        want();
        engine.drainEvents();
        heard("acquire 1", "acquire 2");
        assertEquals(7, keyManager.acquires.get(0).larval().spec().pcpu());
        assertEquals(6, keyManager.acquires.get(1).larval().spec().pcpu());

        flow.cpu = 7;
        StateSpec larval = keyManager.acquires.getFirst().larval().spec();
        engine.addState(
                esp(7, s -> {
                    s.seq(larval.seq())
                            .pcpu(7)
                            .direction(StateSpec.DIRECTION_OUT)
                            .replayWindow(0);
                }),
                ASKER);
        keyManager.take();
        want();
        engine.drainEvents();
        heard();
        assertEquals(State.Phase.DEAD, keyManager.acquires.getFirst().larval().phase());
        refused(
                Errno.ERANGE,
                () -> engine.addState(
                        esp(8, s -> {
                            s.pcpu(8).direction(StateSpec.DIRECTION_OUT).replayWindow(0);
                        }),
                        ASKER));
    }

    @Test
    void shouldLeaveNothingWhenNobodyListens() {
        keyManager.answersAcquires = false;
        want();
        engine.drainEvents();

        heard("acquire 1");
        assertEquals(List.of(), spis());
        assertEquals(Long.MAX_VALUE, engine.nextDeadlineNs());
    }

    @Test
    void shouldAskAgainAfterTheLarvalStateExpired() {
        acquired();

        passSeconds(30);
        heard("hard expire state 0 DEAD for 0");
        want();
        engine.drainEvents();

        heard("acquire 2");
    }

    @Test
    void shouldNotAskWhenTheStateCameMeanwhile() throws XfrmException {
        want();
        engine.addState(esp(1), ASKER);
        keyManager.take();

        engine.drainEvents();

        heard();
    }

    @Test
    void shouldNotAskForAPolicyThatIsGone() throws XfrmException {
        want();
        engine.deletePolicy(bySelector(policy.spec()), ASKER);
        keyManager.take();

        engine.drainEvents();

        heard();
    }

    @Test
    void shouldNotAskForASpiThatAnotherStateHas() throws XfrmException {
        engine.addState(esp(5, s -> s.reqid(99)), ASKER);
        keyManager.take();
        Template named = Template.builder()
                .id(new StateId(RIGHT, 5, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(LEFT)
                .reqid(1)
                .mode(Mode.TUNNEL)
                .build();

        engine.acquire(policy, named, flow, RIGHT, LEFT, shown -> shown.ifindex);
        engine.drainEvents();

        heard();
    }

    @Test
    void shouldFillInTheAddressesTheTemplateLeavesOpen() {
        Template open = Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .reqid(1)
                .build();

        engine.acquire(policy, open, flow, flow.daddr(), flow.saddr(), shown -> shown.ifindex);
        engine.drainEvents();

        StateSpec larval = keyManager.acquires.getFirst().larval().spec();
        assertEquals(flow.daddr(), larval.id().daddr());
        assertEquals(flow.saddr(), larval.saddr());
    }

    @Test
    void shouldEndTheLarvalStateWhenOneOfItsNumberIsAdded() throws XfrmException {
        State larval = acquired();

        engine.addState(
                esp(1, s -> {
                    s.seq(larval.spec().seq()).reqid(77);
                }),
                ASKER);

        assertEquals(State.Phase.DEAD, larval.phase());
        assertEquals(List.of(1), spis());
        heard("NEW state 1 VALID for 1234/7");
    }

    @Test
    void shouldEndTheLarvalStateWhenOneForTheSameIsAdded() throws XfrmException {
        State larval = acquired();

        engine.addState(esp(1), ASKER);

        assertEquals(State.Phase.DEAD, larval.phase());
        assertEquals(List.of(1), spis());
    }

    @Test
    void shouldKeepTheLarvalStateWhenOneForAnotherHostHasItsNumber() throws XfrmException {
        State larval = acquired();

        engine.addState(
                esp(1, s -> {
                    s.seq(larval.spec().seq()).id(new StateId(LEFT, 1, IpProtocol.ESP));
                }),
                ASKER);

        assertEquals(State.Phase.ACQUIRING, larval.phase());
    }

    @Test
    void shouldGiveTheLarvalStateItsSpiWhenOneIsAllocatedForItsNumber() throws XfrmException {
        State larval = acquired();

        State named = allocate(
                esp(0, s -> {
                    s.seq(larval.spec().seq()).reqid(77);
                }),
                0x100,
                0x100);

        assertSame(larval, named);
        assertSame(larval, engine.getState(key(0x100)));
        assertSame(larval, allocate(esp(0, s -> s.seq(larval.spec().seq())), 0x200, 0x200));
        assertEquals(List.of(0x100), spis());
    }

    @Test
    void shouldAnnounceAClientsAcquireAndLeaveNothing() throws XfrmException {
        Selector selector = hosts("10.1.0.1", "10.2.0.2");
        AlgorithmMasks masks = new AlgorithmMasks(-1, 3, -1);

        engine.reportAcquireFailure(selector, esp(0), policy(selector, template, tunnel(2)), masks);

        heard("acquire 1", "acquire 2");
        assertEquals(2, keyManager.acquires.get(1).larval().spec().reqid());
        assertEquals(
                -1,
                keyManager.acquires.get(0).policy().spec().templates().get(1).cipherMask());
        assertEquals(
                3, keyManager.acquires.get(1).policy().spec().templates().get(1).cipherMask());
        assertEquals(List.of(), spis());
        refused(
                Errno.EINVAL,
                () -> engine.reportAcquireFailure(selector, esp(0), policy(Selector.any(0), template), masks));
    }

    /** A packet of the flow to another host, under a policy of transport mode: each needs a State of its own. */
    private boolean wantHost(Policy cause, int host) {
        Template open = Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .reqid(1)
                .build();
        flow.daddrHigh = (0x0a03_0000L + host) << 32;
        boolean taken = engine.acquire(cause, open, flow, flow.daddr(), flow.saddr(), shown -> shown.ifindex);
        engine.drainEvents();
        return taken;
    }

    @Test
    void shouldNotLetPacketsCauseMoreLarvalStatesThanItIsTold() throws XfrmException {
        Policy other = engine.addPolicy(policy(hosts("10.1.0.1", "10.2.0.3"), template), true, ASKER);
        start(builder().acquires(8));
        for (int i = 0; i < 20; i++) {
            assertEquals(i < 4, wantHost(policy, i), "host " + i);
        }
        assertEquals(4, sad.size());
        assertTrue(wantHost(other, 100));
        assertTrue(wantHost(other, 101));
        assertFalse(wantHost(other, 102));
        assertEquals(6, sad.size());
        keyManager.take();

        passSeconds(30);
        assertEquals(0, sad.size());
        keyManager.take();
        assertTrue(wantHost(policy, 200));
        heard("acquire 7");
    }

    @Test
    void shouldCountAnAnsweredAcquireNoMore() throws XfrmException {
        start(builder().acquires(1));
        State larval = acquired();
        assertFalse(wantHost(policy, 1));

        engine.addState(esp(1, s -> s.seq(larval.spec().seq())), ASKER);
        assertTrue(wantHost(policy, 1));
        engine.flushStates(IpProtocol.ANY, ASKER);
        assertTrue(wantHost(policy, 2));
    }

    @Test
    void shouldNotLeaveMoreLarvalStatesThanItIsToldWhenManyWereToldAtOnce() {
        start(builder().acquires(4));
        for (int i = 0; i < 20; i++) {
            flow.daddrHigh = (0x0a03_0000L + i) << 32;
            engine.acquire(policy, template, flow, flow.daddr(), flow.saddr(), shown -> shown.ifindex);
        }
        engine.drainEvents();
        assertEquals(2, sad.size());
    }

    @Test
    void shouldAskNoMoreUntilItExpiresWhenTheNegotiationFailed() {
        State larval = acquired();

        engine.failAcquire(larval.spec().seq() + 1);
        engine.failAcquire(0);
        assertSame(State.Phase.ACQUIRING, larval.phase());

        engine.failAcquire(larval.spec().seq());
        assertSame(State.Phase.ERROR, larval.phase());
        want();
        engine.drainEvents();
        heard();
    }
}
