package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** When keepalives are due, by {@code nat_keepalive_work_single}. */
class NatKeepalivesTest extends EngineFixture {
    private static final int INTERVAL_SECONDS = 20;

    private final List<Long> sentSeconds = new ArrayList<>();
    private final long startSeconds = clock.epochSeconds();
    private boolean reachable = true;
    private boolean faulty;

    @BeforeEach
    void setUp() {
        start(builder().keepaliveSender(state -> {
            sentSeconds.add(clock.epochSeconds() - startSeconds);
            if (faulty) {
                throw new IllegalStateException("a fault");
            }
            return reachable;
        }));
    }

    private State add() throws XfrmException {
        return engine.addState(
                esp(0x100, spec -> {
                    spec.encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY))
                            .direction(StateSpec.DIRECTION_OUT)
                            .replayWindow(0)
                            .natKeepaliveSeconds(INTERVAL_SECONDS);
                }),
                ASKER);
    }

    @Test
    void shouldSendAtOnceAndThenEveryIntervalWhenTheStateIsIdle() throws XfrmException {
        add();

        passSeconds(45);

        assertEquals(List.of(0L, 20L, 40L), sentSeconds);
    }

    @Test
    void shouldWaitForTheRestOfTheIntervalWhenTheStateHasSent() throws XfrmException {
        State state = add();
        passSeconds(15);
        state.count(100, clock.epochSeconds());

        passSeconds(25);

        assertEquals(List.of(0L, 35L), sentSeconds);
    }

    @Test
    void shouldTryAgainSoonWhenThereIsNoWay() throws XfrmException {
        reachable = false;
        add();
        passSeconds(2);
        reachable = true;

        passSeconds(10);

        assertEquals(List.of(0L, 1L, 2L, 3L), sentSeconds);
    }

    @Test
    void shouldStopWhenTheStateGoes() throws XfrmException {
        add();
        passSeconds(1);

        engine.deleteState(key(0x100), ASKER);
        passSeconds(60);

        assertEquals(List.of(0L), sentSeconds);
    }

    @Test
    void shouldSendNothingForStatesThatDoNotAsk() throws XfrmException {
        engine.addState(esp(0x200), ASKER);

        passSeconds(60);

        assertEquals(List.of(), sentSeconds);
    }

    @Test
    void shouldGoOnAfterAFaultInSending() throws XfrmException {
        faulty = true;
        add();
        assertThrows(IllegalStateException.class, () -> passSeconds(1));
        faulty = false;

        passSeconds(10);

        assertEquals(List.of(0L, 1L), sentSeconds);
    }
}
