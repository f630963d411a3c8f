package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

class StateExpiryTest extends EngineFixture {
    private State added(Lifetime lifetime) throws XfrmException {
        State state = engine.addState(esp(1, s -> s.lifetime(lifetime)), ASKER);
        keyManager.take();
        return state;
    }

    @Test
    void shouldBecomeDyingOnceAndEndByAddTime() throws XfrmException {
        State state = added(seconds(10, 20, 0, 0));

        passSeconds(9);
        heard();
        passSeconds(1);
        heard("soft expire state 1 VALID for 0");
        assertTrue(state.isDying());
        passSeconds(9);
        heard();
        passSeconds(1);
        heard("hard expire state 1 DEAD for 0");
        assertEquals(List.of(), spis());
    }

    @Test
    void shouldCountFromTheAddTimeAClientGave() throws XfrmException {
        engine.addState(
                esp(1, s -> {
                    s.lifetime(seconds(0, 100, 0, 0))
                            .usage(new StateSpec.LifetimeCurrent(0, 0, clock.epochSeconds() - 95, 0));
                }),
                ASKER);
        keyManager.take();

        passSeconds(5);

        heard("hard expire state 1 DEAD for 0");
    }

    @Test
    void shouldCountUseLimitsFromTheFirstUse() throws XfrmException {
        State state = added(seconds(0, 0, 10, 20));

        passSeconds(100);
        heard();
        state.count(1, clock.epochSeconds());
        passSeconds(9);
        heard();
        passSeconds(1);
        heard("soft expire state 1 VALID for 0");
        passSeconds(10);
        heard("hard expire state 1 DEAD for 0");
    }

    @Test
    void shouldLookAgainOneSecondAfterTheRequestAndNotBefore() throws XfrmException {
        added(seconds(0, 1, 0, 0));

        clock.advanceNs(999_000_000L);
        assertEquals(0, engine.runTimers());
        passSeconds(1);

        heard("hard expire state 1 DEAD for 0");
    }

    @Test
    void shouldBecomeDyingOnceByBytesOrPackets() throws XfrmException {
        State state = added(traffic(100, 200, -1, -1));
        state.count(100, clock.epochSeconds());

        engine.limitReached(state);
        engine.limitReached(state);
        assertEquals(1, engine.drainEvents());
        engine.limitReached(state);
        engine.drainEvents();

        heard("soft expire state 1 VALID for 0");
        assertTrue(state.isDying());
    }

    @Test
    void shouldNotSayAgainByTimeWhatWasSaidByPackets() throws XfrmException {
        State state = added(Lifetime.builder()
                .softPackets(1)
                .softAddSeconds(10)
                .hardAddSeconds(20)
                .build());
        state.count(1, clock.epochSeconds());
        engine.limitReached(state);
        engine.drainEvents();
        heard("soft expire state 1 VALID for 0");

        passSeconds(19);
        heard();
        passSeconds(1);

        heard("hard expire state 1 DEAD for 0");
    }

    @Test
    void shouldCarryNothingFromTheHardLimitOnAndGoWithTheNextTimers() throws XfrmException {
        State state = added(traffic(-1, -1, 1, 2));
        state.count(1, clock.epochSeconds());
        state.count(1, clock.epochSeconds());

        engine.limitReached(state);
        engine.drainEvents();

        assertEquals(State.Phase.EXPIRED, state.phase());
        heard();
        assertEquals(1, engine.runTimers());
        heard("hard expire state 1 DEAD for 0");
    }

    @Test
    void shouldDoNothingWhenToldOfALimitThatIsNotReachedOrTooLate() throws XfrmException {
        State state = added(traffic(100, 200, 100, 200));
        engine.limitReached(state);
        engine.drainEvents();
        heard();

        engine.deleteState(key(1), ASKER);
        state.count(1000, clock.epochSeconds());
        engine.limitReached(state);
        engine.drainEvents();
        engine.runTimers();

        heard("DELETE state 1 DEAD for 1234/7");
    }

    @Test
    void shouldTakeTheLongestLimitAsNever() throws XfrmException {
        State state = added(seconds(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE));

        passSeconds(100_000);

        assertFalse(state.isDying());
        heard();
    }

    @Test
    void shouldTakeALimitAboveTheSignAsReached() throws XfrmException {
        added(seconds(0, -1, 0, 0));
        passSeconds(1);
        heard("hard expire state 1 DEAD for 0");

        added(seconds(0, 0, 0, Long.MIN_VALUE));
        passSeconds(1);
        heard("hard expire state 1 DEAD for 0");

        added(seconds(-1, 0, 0, 0));
        passSeconds(1);
        heard("soft expire state 1 VALID for 0");
    }

    @Test
    void shouldTellOfAHardLimitThatAnUpdateSetBeforeTheUpdate() throws XfrmException {
        engine.addState(esp(1, s -> s.usage(new StateSpec.LifetimeCurrent(100, 2, clock.epochSeconds(), 2))), ASKER);
        keyManager.take();

        engine.updateState(esp(1, s -> s.lifetime(traffic(-1, 0, -1, -1))), ASKER);

        heard("hard expire state 1 DEAD for 0", "UPDATE state 1 DEAD for 1234/7");
        assertEquals(List.of(), spis());
        assertEquals(Long.MAX_VALUE, engine.nextDeadlineNs());
    }

    @Test
    void shouldTellOfASoftLimitThatAnUpdateSetBeforeTheInterfaceChanges() throws XfrmException {
        State state = engine.addState(
                esp(1, s -> s.usage(new StateSpec.LifetimeCurrent(100, 2, clock.epochSeconds(), 2))), ASKER);
        keyManager.take();

        engine.updateState(
                esp(1, s -> {
                    s.lifetime(traffic(0, -1, -1, -1)).ifId(7);
                }),
                ASKER);

        heard("soft expire state 1 VALID for 0", "UPDATE state 1 DEAD for 1234/7");
        assertEquals(List.of(0), keyManager.interfacesOfExpired);
        assertEquals(7, state.spec().ifId());
    }

    @Test
    void shouldHaveNoTimerLeftWhenEverythingIsGone() throws XfrmException {
        added(seconds(10, 20, 0, 0));
        engine.flushStates(0, ASKER);

        assertEquals(Long.MAX_VALUE, engine.nextDeadlineNs());
    }

    // Larval States

    @Test
    void shouldEndALarvalStateWhenNobodyAnswers() throws XfrmException {
        engine.setAcquireExpireSeconds(165);
        State larval = allocate(esp(0), 0x100, 0x1ff);
        String spi = Integer.toHexString(larval.id().spi());

        passSeconds(164);
        heard();
        passSeconds(1);

        heard("hard expire state " + spi + " DEAD for 0");
        assertEquals(List.of(), spis());
    }

    @Test
    void shouldKeepALarvalStateWhenAcquiresDoNotExpire() throws XfrmException {
        engine.setAcquireExpireSeconds(0);
        allocate(esp(0), 0x100, 0x100);

        passSeconds(1000);

        assertEquals(List.of(0x100), spis());
    }
}
