package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

class LostStatesTest {
    /** Notes what it is told: positive Spis are soft limits, negative ones hard. */
    private static final class Client implements ExpiryListener {
        private final List<Integer> told = new ArrayList<>();
        private boolean open = true;
        private boolean behind;

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public boolean isBehind() {
            return behind;
        }

        @Override
        public void expired(State state, boolean hard) {
            told.add(hard ? -state.id().spi() : state.id().spi());
        }

        List<Integer> take() {
            List<Integer> taken = List.copyOf(told);
            told.clear();
            return taken;
        }
    }

    private final ManualClock clock = new ManualClock(1_500_000_000L);
    private final Client client = new Client();
    private XfrmEngine engine;

    private static StateSpec spec(int spi, int reqid) {
        return StateSpec.builder()
                .id(new StateId(Address.ofIpv4(0xc000_0202), spi, IpProtocol.ESP))
                .saddr(Address.ofIpv4(0xc000_0201))
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(reqid)
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                .build();
    }

    private void lose(int... spis) {
        engine = XfrmEngine.builder(new Databases(), clock)
                .lostStates(IntStream.of(spis)
                        .mapToObj(spi -> new State(spec(spi, spi), State.Phase.DEAD, new Usage(0)))
                        .toList())
                .build();
    }

    private void pass(int tenths) {
        for (int tenth = 0; tenth < tenths; tenth++) {
            clock.advanceNs(100_000_000L);
            engine.runTimers();
        }
    }

    @Test
    void shouldTellWhoeverListensOfASoftLimitAndLaterOfAHardOne() {
        lose(1, 2);
        engine.listen(client);
        assertEquals(List.of(), client.take());
        pass(1);
        assertEquals(List.of(1, 2), client.take());
        pass(95);
        assertEquals(List.of(), client.take());
        Client second = new Client();
        engine.listen(second);
        pass(10);
        assertEquals(List.of(-1, -2), client.take());
        assertEquals(List.of(1, 2), second.take());
        pass(200);
        assertEquals(List.of(), client.take());
    }

    @Test
    void shouldTellOfNoHardLimitWhereAnotherHasCome() throws Exception {
        lose(1, 2, 3, 4);
        engine.listen(client);
        pass(1);
        client.take();
        engine.addState(spec(101, 1), Origin.KERNEL);
        engine.addState(spec(2, 9), Origin.KERNEL);
        StateKey third = new StateKey(spec(3, 3).id(), AddressFamily.INET, Mark.NONE, null);
        try {
            engine.deleteState(third, Origin.KERNEL);
        } catch (XfrmException e) {
            assertEquals(Errno.ESRCH, e.errno());
        }
        pass(110);
        assertEquals(List.of(-4), client.take());
    }

    @Test
    void shouldNotTellOfWhatPfkeyHasDeleted() throws Exception {
        lose(1, 2);
        engine.addState(spec(3, 3), Origin.KERNEL);
        engine.deleteState(new StateKey(spec(3, 3).id(), AddressFamily.INET, null, null), Origin.KERNEL);
        StateKey gone = new StateKey(spec(1, 1).id(), AddressFamily.INET, null, null);
        XfrmException refusal = assertThrows(XfrmException.class, () -> engine.deleteState(gone, Origin.KERNEL));
        assertEquals(Errno.ESRCH, refusal.errno());
        engine.listen(client);
        pass(1);
        assertEquals(List.of(2), client.take());
    }

    @Test
    void shouldTellNothingWhenAllWasFlushed() throws Exception {
        lose(1);
        try {
            engine.flushStates(0, Origin.KERNEL);
        } catch (XfrmException e) {
            assertEquals(Errno.ESRCH, e.errno());
        }
        engine.listen(client);
        pass(110);
        assertEquals(List.of(), client.take());
    }

    @Test
    void shouldTellAFewAtATimeAndWaitForWhoDoesNotRead() {
        lose(IntStream.rangeClosed(1, 200).toArray());
        engine.listen(client);
        pass(1);
        assertEquals(64, client.take().size());
        client.behind = true;
        pass(5);
        assertEquals(0, client.take().size());
        client.behind = false;
        pass(3);
        assertEquals(136, client.take().size());
        client.open = false;
        pass(110);
        assertEquals(0, client.take().size());
    }

    @Test
    void shouldTellNobodyAfterTenMinutes() {
        lose(1);
        clock.advanceSeconds(601);
        engine.runTimers();
        engine.listen(client);
        pass(110);
        assertEquals(List.of(), client.take());
    }
}
