package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.km.XfrmService.ReplayUpdate;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

class StateVerbsTest extends EngineFixture {
    private static Encapsulation udp(int port) {
        return new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, port, port, Address.ANY);
    }

    private static ReplayUpdate replayUpdate(ReplayState replay, StateSpec.LifetimeCurrent usage) {
        return new ReplayUpdate(key(1), 0, replay, replay, usage, -1, -1, -1, true);
    }

    @Test
    void shouldHaveCiphersWipedWhenAUsedStateGoes() throws XfrmException {
        List<State> wiped = new ArrayList<>();
        start(builder().wiper(state -> {
            assertArrayEquals(new byte[20], state.spec().aead().key());
            wiped.add(state);
        }));
        State used = engine.addState(esp(1), ASKER);
        engine.addState(esp(2), ASKER);
        used.sequence().next();

        engine.flushStates(IpProtocol.IPSEC_ANY, ASKER);

        assertEquals(List.of(used), wiped);
    }

    @Test
    void shouldHaveCiphersWipedWhenAStateGoesWhoseNumbersWereJustSet() throws XfrmException {
        List<State> wiped = new ArrayList<>();
        start(builder().wiper(wiped::add));
        State used = engine.addState(esp(1), ASKER);
        used.sequence().next();

        engine.updateReplay(replayUpdate(new ReplayState(9, 0, 0, 0, 0, new int[0]), null), ASKER);
        engine.deleteState(key(1), ASKER);

        assertEquals(List.of(used), wiped);
        assertEquals(9, used.replaySnapshot().oseq());
    }

    // Add, get, delete

    @Test
    void shouldInstallAndTellWhenAdded() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);

        assertSame(state, engine.getState(key(1)));
        assertTrue(state.isValid());
        assertEquals(clock.epochSeconds(), state.usage().addSeconds());
        heard("NEW state 1 VALID for 1234/7");
    }

    @Test
    void shouldRefuseASecondOneOfTheSameSpi() throws XfrmException {
        engine.addState(esp(1), ASKER);

        refused(Errno.EEXIST, () -> engine.addState(esp(1), ASKER));
        refused(Errno.EEXIST, () -> engine.addState(esp(1, s -> s.saddr(RIGHT)), ASKER));
    }

    @Test
    void shouldTakeASecondOneWhoseMarkTellsItApart() throws XfrmException {
        engine.addState(esp(1, s -> s.mark(new Mark(5, 0xff))), ASKER);
        engine.addState(esp(1, s -> s.mark(new Mark(6, 0xff))), ASKER);

        assertEquals(List.of(1, 1), spis());
        StateId id = new StateId(RIGHT, 1, IpProtocol.ESP);
        State state = engine.getState(new StateKey(id, AddressFamily.INET, new Mark(5, 0xff), null));
        assertEquals(5, state.spec().mark().value());
    }

    private static StateKey marked(int value, int mask) {
        return new StateKey(
                new StateId(RIGHT, 1, IpProtocol.ESP),
                AddressFamily.INET,
                value == 0 && mask == 0 ? Mark.NONE : new Mark(value, mask),
                null);
    }

    private State addMarked(int value, int mask) throws XfrmException {
        return engine.addState(esp(1, s -> s.mark(new Mark(value, mask))), ASKER);
    }

    @Test
    void shouldNotDeleteTheCatchAllWhenAMarkIsNamed() throws XfrmException {
        State catchAll = engine.addState(esp(1), ASKER);

        refused(Errno.ESRCH, () -> engine.deleteState(marked(1, 1), ASKER));
        refused(Errno.ESRCH, () -> engine.getState(marked(1, 1)));
        refused(Errno.ESRCH, () -> engine.getReplay(marked(1, 1)));
        refused(Errno.ENOENT, () -> engine.expireState(marked(1, 1), true, ASKER));
        refused(
                Errno.ESRCH,
                () -> engine.updateReplay(new ReplayUpdate(marked(1, 1), 0, null, null, null, 30, 0, -1, true), ASKER));
        refused(Errno.ESRCH, () -> engine.updateState(esp(1, s -> s.mark(new Mark(1, 1))), ASKER));
        assertSame(catchAll, engine.getState(marked(0, 0)));
    }

    @Test
    void shouldFindTheOneWithThatVeryMarkAmongThoseThatFit() throws XfrmException {
        State three = addMarked(3, 0xf);
        State one = addMarked(1, 1);
        State catchAll = addMarked(0, 0);

        assertSame(one, engine.getState(marked(1, 1)));
        assertSame(three, engine.getState(marked(3, 0xf)));
        assertSame(catchAll, engine.getState(marked(0, 0)));
        refused(Errno.ESRCH, () -> engine.getState(marked(1, 0xf)));
        engine.deleteState(marked(0, 0), ASKER);
        refused(Errno.ESRCH, () -> engine.getState(marked(0, 0)));
        assertTrue(one.isValid() && three.isValid());
    }

    @Test
    void shouldKeepTheWildcardForDuplicatesAndPacketsAndPfkey() throws XfrmException {
        State catchAll = engine.addState(esp(1), ASKER);

        refused(Errno.EEXIST, () -> addMarked(1, 1));
        assertSame(catchAll, sad.lookup(catchAll.id(), AddressFamily.INET, 1));
        engine.deleteState(marked(0, 0), ASKER);
        State low = addMarked(0, 0xff);
        StateKey asPfkey = new StateKey(low.id(), AddressFamily.INET, null, null);
        assertSame(low, engine.getState(asPfkey));
        Origin pfkey = new Origin(1, 1, Origin.Interface.PF_KEY);
        assertSame(low, engine.updateState(esp(1), pfkey));
        engine.deleteState(asPfkey, pfkey);
        assertEquals(List.of(), spis());
    }

    @Test
    void shouldFindAStateByTheBitsThatItsMaskLetsThrough() throws XfrmException {
        State state = addMarked(0x1234, 0xff);

        assertSame(state, engine.getState(marked(0x1234, 0xff)));
        assertSame(state, engine.getState(marked(0x34, 0xff)));
    }

    @Test
    void shouldCompleteALarvalStateThatWasMadeWithoutTheMark() throws XfrmException {
        State larval = allocate(esp(0), 1, 1);

        State state = engine.updateState(esp(1, s -> s.mark(new Mark(5, 0xff))), ASKER);

        assertEquals(State.Phase.DEAD, larval.phase());
        assertSame(state, engine.getState(marked(5, 0xff)));
    }

    @Test
    void shouldAnswerNoSuchStateWhenThereIsNone() {
        refused(Errno.ESRCH, () -> engine.getState(key(1)));
        refused(Errno.ESRCH, () -> engine.deleteState(key(1), ASKER));
        refused(Errno.ESRCH, () -> engine.updateState(esp(1), ASKER));
    }

    @Test
    void shouldWantASourceAddressForProtocolsWithoutSpi() {
        StateId routing = new StateId(RIGHT, 0, IpProtocol.ROUTING);

        refused(Errno.EINVAL, () -> engine.getState(new StateKey(routing, AddressFamily.INET6, Mark.NONE, null)));
        refused(Errno.ESRCH, () -> engine.getState(new StateKey(routing, AddressFamily.INET6, Mark.NONE, LEFT)));
    }

    @Test
    void shouldTellOfADeletionWithKeysAndThenClearThem() throws XfrmException {
        StateSpec spec = esp(1);
        State state = engine.addState(spec, ASKER);
        EspTransform transform = ((EspSuite) state.suite()).transform(1, SequenceWidth.SHORT);
        keyManager.take();

        engine.deleteState(key(1), ASKER);

        heard("DELETE state 1 DEAD for 1234/7");
        assertEquals(GCM_KEY, keyManager.keysOfLastState);
        assertArrayEquals(new byte[20], spec.aead().key());
        assertEquals(EspTransform.WIPED, transform.seal(new byte[256], 0, 16, 4, 1));
        assertNull(sad.locate(spec));
    }

    @Test
    void shouldClearTheKeysOfARefusedRequest() throws XfrmException {
        engine.addState(esp(1), ASKER);
        StateSpec again = esp(1);

        refused(Errno.EEXIST, () -> engine.addState(again, ASKER));

        assertArrayEquals(new byte[20], again.aead().key());
        assertEquals(
                GCM_KEY,
                HexFormat.of().formatHex(engine.getState(key(1)).spec().aead().key()));
    }

    @Test
    void shouldStartFromTheCountersOfTheRequest() throws XfrmException {
        State state = engine.addState(
                esp(1, s -> {
                    s.usage(new StateSpec.LifetimeCurrent(10, 2, 500, 600))
                            .replay(new ReplayState(9, 8, 0, 0, 0, new int[] {3}));
                }),
                ASKER);

        assertEquals(10, state.usage().bytes());
        assertEquals(500, state.usage().addSeconds());
        assertEquals(new ReplayState(9, 8, 0, 0, 0, new int[] {3}), state.replaySnapshot());
    }

    @Test
    void shouldExportTheBitmapOfExtendedNumbers() throws XfrmException {
        ReplayState start = new ReplayState(1, 5, 2, 1, 64, new int[] {31, 0});
        State state = engine.addState(
                esp(1, s -> {
                    s.replayWindow(0).flags(StateFlags.ESN).replay(start);
                }),
                ASKER);

        assertEquals(start, state.replaySnapshot());
        state.sequence().next();
        assertEquals(2, state.replaySnapshot().oseq());
        assertEquals(2, state.replaySnapshot().oseqHigh());
    }

    // Update

    @Test
    void shouldAdoptLifetimesAndEncapsulationButNoKeysWhenALiveOneIsUpdated() throws XfrmException {
        State state = engine.addState(esp(1, s -> s.encapsulation(udp(4500))), ASKER);
        state.count(100, clock.epochSeconds());
        keyManager.take();

        State updated = engine.updateState(
                esp(1, s -> {
                    s.encapsulation(udp(4501))
                            .lifetime(seconds(10, 20, 0, 0))
                            .aead(algorithm("rfc4106(gcm(aes))", "ff" + GCM_KEY.substring(2), 128))
                            .ifId(42);
                }),
                ASKER);

        assertSame(state, updated);
        assertEquals(4501, state.spec().encapsulation().sport());
        assertEquals(20, state.spec().lifetime().hardAddSeconds());
        assertEquals(42, state.spec().ifId());
        assertEquals(GCM_KEY, HexFormat.of().formatHex(state.spec().aead().key()));
        assertEquals(100, state.usage().bytes());
        assertEquals(1, engine.stateCounts().states());
        heard("UPDATE state 1 DEAD for 1234/7");
    }

    @Test
    void shouldKeepMarkAndInterfaceWhenTheUpdateNamesNone() throws XfrmException {
        State state = engine.addState(
                esp(1, s -> {
                    s.ifId(42).outputMark(new Mark(1, 0xff));
                }),
                ASKER);

        engine.updateState(esp(1), ASKER);

        assertEquals(42, state.spec().ifId());
        assertEquals(new Mark(1, 0xff), state.spec().outputMark());
    }

    @Test
    void shouldRefuseAnUpdateThatChangesEncapsulationOrDirection() throws XfrmException {
        engine.addState(esp(1, s -> s.encapsulation(udp(4500))), ASKER);
        engine.addState(esp(2), ASKER);

        refused(Errno.EINVAL, () -> engine.updateState(esp(1), ASKER));
        refused(Errno.EINVAL, () -> engine.updateState(esp(2, s -> s.encapsulation(udp(4500))), ASKER));
        refused(Errno.ESRCH, () -> engine.updateState(esp(2, s -> s.direction(StateSpec.DIRECTION_IN)), ASKER));
    }

    @Test
    void shouldNoLongerBeDyingAfterAnUpdate() throws XfrmException {
        State state = engine.addState(esp(1, s -> s.lifetime(seconds(5, 50, 0, 0))), ASKER);
        passSeconds(6);
        assertTrue(state.isDying());

        engine.updateState(esp(1, s -> s.lifetime(seconds(20, 50, 0, 0))), ASKER);

        assertFalse(state.isDying());
    }

    @Test
    void shouldExpireAtOnceWhenAnUpdateSetsLimitsThatAreReached() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);
        state.count(100, clock.epochSeconds());
        keyManager.take();

        engine.updateState(esp(1, s -> s.lifetime(traffic(-1, 50, -1, -1))), ASKER);

        assertEquals(State.Phase.DEAD, state.phase());
        heard("hard expire state 1 DEAD for 0", "UPDATE state 1 DEAD for 1234/7");
    }

    // Flush and dump

    @Test
    void shouldWalkYoungestFirstAndSurviveChanges() throws XfrmException {
        for (int spi = 1; spi <= 4; spi++) {
            engine.addState(esp(spi), ASKER);
        }
        Dump<State> dump = engine.states(state -> state.id().spi() != 2);
        assertEquals(4, dump.next().id().spi());

        engine.deleteState(key(3), ASKER);
        engine.addState(esp(5), ASKER);

        assertEquals(1, dump.next().id().spi());
        assertNull(dump.next());
    }

    @Test
    void shouldFlushAProtocolAndTellOnce() throws XfrmException {
        engine.addState(esp(1), ASKER);
        engine.addState(esp(2), ASKER);

        refused(Errno.ESRCH, () -> engine.flushStates(IpProtocol.AH, ASKER));
        engine.flushStates(IpProtocol.IPSEC_ANY, ASKER);

        heard("flushed states 255");
        assertEquals(0, engine.stateCounts().states());
        refused(Errno.ESRCH, () -> engine.flushStates(0, ASKER));
    }

    // NEWAE

    @Test
    void shouldSetCountersWhenAClientUpdatesThem() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);
        keyManager.take();
        ReplayState replay = new ReplayState(100, 50, 0, 0, 0, new int[] {7});

        engine.updateReplay(replayUpdate(replay, new StateSpec.LifetimeCurrent(1, 2, 3, 4)), ASKER);

        assertEquals(replay, state.replaySnapshot());
        assertEquals(2, state.usage().packets());
        heard("replay 1 cause 64 oseq 100 for 1234");
    }

    @Test
    void shouldSetThresholdsAlone() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);

        engine.updateReplay(new ReplayUpdate(key(1), 0, null, null, null, 30, 0, -1, true), ASKER);

        assertEquals(30, state.spec().replayMaxDifference());
        assertEquals(0, state.spec().replayMaxAge());
    }

    @Test
    void shouldSetTheMappingAgeButNotByItselfAlone() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);

        engine.updateReplay(new ReplayUpdate(key(1), 0, null, null, null, 9, -1, 70, true), ASKER);

        assertEquals(70, state.spec().mappingMaxAgeSeconds());
        refused(
                Errno.EINVAL,
                () -> engine.updateReplay(new ReplayUpdate(key(1), 0, null, null, null, -1, -1, 80, true), ASKER));
    }

    @Test
    void shouldRefuseAReplayUpdateThatIsEmptyOrDoesNotReplaceOrFindsNothing() throws XfrmException {
        refused(Errno.ESRCH, () -> engine.updateReplay(replayUpdate(ReplayState.INITIAL, null), ASKER));
        engine.addState(esp(1), ASKER);

        refused(Errno.EINVAL, () -> engine.updateReplay(replayUpdate(null, null), ASKER));
        refused(
                Errno.EINVAL,
                () -> engine.updateReplay(
                        new ReplayUpdate(key(1), 0, ReplayState.INITIAL, null, null, -1, -1, -1, false), ASKER));
    }

    @Test
    void shouldRefuseABitmapOfAnotherLength() throws XfrmException {
        engine.addState(
                esp(1, s -> {
                    s.replayWindow(0).replay(new ReplayState(0, 0, 0, 0, 64, new int[2]));
                }),
                ASKER);

        refused(
                Errno.EINVAL,
                () -> engine.updateReplay(replayUpdate(new ReplayState(0, 0, 0, 0, 64, new int[3]), null), ASKER));
        refused(
                Errno.EINVAL,
                () -> engine.updateReplay(replayUpdate(new ReplayState(0, 0, 0, 0, 65, new int[2]), null), ASKER));
    }

    // EXPIRE from a client

    @Test
    void shouldTellOfAClientsExpiryAndEndTheStateIfHard() throws XfrmException {
        engine.addState(esp(1), ASKER);
        keyManager.take();

        engine.expireState(key(1), false, ASKER);
        engine.expireState(key(1), true, ASKER);

        heard("soft expire state 1 VALID for 1234", "hard expire state 1 VALID for 1234");
        refused(Errno.ENOENT, () -> engine.expireState(key(1), true, ASKER));
    }

    @Test
    void shouldRefuseToExpireALarvalState() throws XfrmException {
        allocate(esp(0), 1, 1);

        refused(Errno.EINVAL, () -> engine.expireState(key(1), true, ASKER));
    }
}
