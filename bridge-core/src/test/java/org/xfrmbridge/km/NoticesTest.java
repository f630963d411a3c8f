package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** Replay counters and NAT mappings, which the datapath tells of. */
class NoticesTest extends EngineFixture {
    private State added(int maxDifference, int maxAge) throws XfrmException {
        keyManager.hearsReplay = true;
        State state = engine.addState(
                esp(1, s -> {
                    s.replayMaxDifference(maxDifference).replayMaxAge(maxAge);
                }),
                ASKER);
        keyManager.take();
        return state;
    }

    /** What an outbound datapath thread does. */
    private void send(State state, int packets) {
        for (int i = 0; i < packets; i++) {
            state.sequence().next();
            if (engine.hearsReplay() && state.isSentNoticeDue(state.sequence().oseq())) {
                engine.replayAdvanced(state);
            }
        }
        engine.drainEvents();
    }

    @Test
    void shouldTellWhenTheDifferenceIsReached() throws XfrmException {
        State state = added(10, 0);

        send(state, 9);
        heard();
        send(state, 1);
        heard("replay 1 cause 16 oseq 10 for 0");
        send(state, 9);
        heard();
        send(state, 3);
        heard("replay 1 cause 16 oseq 22 for 0");
    }

    @Test
    void shouldTellOfEveryTurnWhenTheDifferenceIsZero() throws XfrmException {
        State state = added(0, 0);

        send(state, 1);
        send(state, 1);

        heard("replay 1 cause 16 oseq 1 for 0", "replay 1 cause 16 oseq 2 for 0");
    }

    @Test
    void shouldTellOfALesserDifferenceWhenTheTimeIsUp() throws XfrmException {
        State state = added(10, 20);

        send(state, 3);
        passSeconds(1);
        heard();
        passSeconds(1);
        heard("replay 1 cause 32 oseq 3 for 0");
    }

    @Test
    void shouldTellAtOnceOfTheFirstMoveAfterAnIdleTime() throws XfrmException {
        State state = added(10, 20);

        passSeconds(10);
        heard();
        assertTrue(state.isSentNoticeDue(1));
        send(state, 1);
        heard("replay 1 cause 32 oseq 1 for 0");
        assertFalse(state.isSentNoticeDue(2));
    }

    @Test
    void shouldTellNothingWhileNobodyListens() throws XfrmException {
        State state = added(10, 20);
        keyManager.hearsReplay = false;

        send(state, 100);
        passSeconds(10);

        heard();
    }

    @Test
    void shouldTakeDefaultsWhenAClientNamesNoThresholds() throws XfrmException {
        State state = added(StateSpec.ABSENT, StateSpec.ABSENT);

        send(state, 1);
        heard();
        send(state, 1);
        heard("replay 1 cause 16 oseq 2 for 0");
    }

    @Test
    void shouldTellOfAMappingEachTimeWhenNoAgeIsSet() throws XfrmException {
        State state = encapsulated(0);

        engine.mappingChanged(state, RIGHT, 4501);
        engine.mappingChanged(state, RIGHT, 4501);
        engine.drainEvents();

        heard("mapping 1 198.51.100.2:4501", "mapping 1 198.51.100.2:4501");
    }

    @Test
    void shouldTellOfTheSamePortOnlyOnceWithinTheAge() throws XfrmException {
        State state = encapsulated(10);

        for (int second = 0; second < 12; second++) {
            engine.mappingChanged(state, RIGHT, 4501);
            engine.drainEvents();
            clock.advanceSeconds(1);
        }
        engine.mappingChanged(state, RIGHT, 4502);
        engine.drainEvents();

        heard("mapping 1 198.51.100.2:4501", "mapping 1 198.51.100.2:4501", "mapping 1 198.51.100.2:4502");
    }

    @Test
    void shouldTellOfNoMappingForAStateWithoutEncapsulationOrGone() throws XfrmException {
        State plain = engine.addState(esp(2), ASKER);
        State gone = encapsulated(0);
        engine.deleteState(key(1), ASKER);
        keyManager.take();

        engine.mappingChanged(plain, RIGHT, 4501);
        engine.mappingChanged(gone, RIGHT, 4501);
        engine.replayAdvanced(gone);
        engine.drainEvents();

        heard();
    }

    private State encapsulated(int maxAgeSeconds) throws XfrmException {
        State state = engine.addState(
                esp(1, s -> {
                    s.encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY))
                            .mappingMaxAgeSeconds(maxAgeSeconds);
                }),
                ASKER);
        keyManager.take();
        return state;
    }
}
