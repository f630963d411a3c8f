package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

class SadTest {
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final Address THERE = Address.parse("192.0.2.2");

    private final Sad sad = new Sad();

    static StateSpec spec(int spi) {
        return StateSpec.builder()
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .id(new StateId(THERE, spi, IpProtocol.ESP))
                .saddr(HERE)
                .build();
    }

    private State insert(int spi, Phase phase) {
        State state = new State(spec(spi), phase, new Usage(1));
        sad.insert(state);
        return state;
    }

    @Test
    void shouldGoOnWithAWalkWhenWhatItStandsOnGoes() {
        State oldest = insert(1, Phase.VALID);
        State second = insert(2, Phase.VALID);
        State third = insert(3, Phase.VALID);
        State youngest = insert(4, Phase.VALID);
        Dump<State> walk = sad.walk(state -> true);
        assertSame(youngest, walk.next());
        assertSame(third, walk.next());
        insert(5, Phase.VALID);
        sad.remove(third);
        sad.remove(second);
        assertSame(oldest, walk.next());
        assertNull(walk.next());
        insert(6, Phase.VALID);
        assertNull(walk.next());
    }

    @Test
    void shouldFindALarvalStateByItsSpiWhenItGotOne() {
        State larval = insert(0, Phase.ACQUIRING);
        assertSame(larval, sad.larval(spec(0)));
        sad.respec(larval, spec(77));
        assertNull(sad.larval(spec(0)));
        assertSame(larval, sad.lookup(new StateId(THERE, 77, IpProtocol.ESP), AddressFamily.INET, 0));
    }

    @Test
    void shouldTellWhoFoundAStateThatItIsOfAnotherGroupNow() {
        State state = insert(1, Phase.VALID);
        insert(2, Phase.VALID);
        StateSpec spec = state.spec();
        Template template = Template.builder()
                .id(spec.id())
                .family(spec.family())
                .saddr(spec.saddr())
                .reqid(spec.reqid())
                .mode(spec.mode())
                .build();
        StateFreshness freshness =
                new StateFreshness(sad, template, 0, spec.id().daddr(), spec.saddr());
        assertTrue(freshness.holds());
        StateSpecBuilder moved = spec.toBuilder().ifId(1);
        sad.respec(state, moved.build());
        assertFalse(freshness.holds());
    }

    @Test
    void shouldGiveEverySpiOfARangeOnceAndThenNone() {
        SpiAllocator allocator = new SpiAllocator(sad, new Random(1));
        Set<Integer> given = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            int spi = allocator.allocate(IpProtocol.ESP, 0x80000000, 0x800003e7);
            assertTrue(Integer.compareUnsigned(spi, 0x80000000) >= 0 && Integer.compareUnsigned(spi, 0x800003e7) <= 0);
            assertTrue(given.add(spi));
            insert(spi, Phase.ACQUIRING);
        }
        assertEquals(0, allocator.allocate(IpProtocol.ESP, 0x80000000, 0x800003e7));
    }

    @Test
    void shouldNeverGiveSpiZero() {
        SpiAllocator allocator = new SpiAllocator(sad, new Random(1));
        assertEquals(0, allocator.allocate(IpProtocol.ESP, 0, 0));
        assertEquals(1, allocator.allocate(IpProtocol.ESP, 0, 1));
        assertEquals(5, allocator.allocate(IpProtocol.ESP, 5, 5));
        assertEquals(0, allocator.allocate(IpProtocol.ESP, 6, 5));
        assertTrue(allocator.allocate(IpProtocol.ESP, 0, -1) != 0);
    }

    @Test
    void shouldNotSlowDownWhenOnePairHasManyStates() {
        List<State> states = new ArrayList<>();
        for (int i = 1; i <= 200_000; i++) {
            states.add(insert(i, i % 2 == 0 ? Phase.VALID : Phase.ACQUIRING));
        }
        assertNull(sad.larval(spec(0)));
        for (State state : states) {
            sad.remove(state);
        }
        assertEquals(0, sad.size());
    }

    @Test
    void shouldNotSlowDownWhenAddTimesOfOnePairAreRandom() {
        Random random = new Random(1);
        List<State> states = new ArrayList<>();
        for (int i = 1; i <= 200_000; i++) {
            State state = new State(spec(i), Phase.VALID, new Usage(random.nextInt(10_000)));
            sad.insert(state);
            states.add(state);
        }
        Collections.shuffle(states, random);
        for (State state : states) {
            sad.remove(state);
        }
        assertEquals(0, sad.size());
    }

    @Test
    void shouldNotSlowDownWhenARangeIsNearlyFull() {
        SpiAllocator allocator = new SpiAllocator(sad, new Random(1));
        State last = null;
        for (int i = 0; i < 200_000; i++) {
            int spi = allocator.allocate(IpProtocol.ESP, 0x1000, 0x1000 + 199_999);
            assertTrue(spi != 0);
            last = insert(spi, Phase.ACQUIRING);
        }
        for (int i = 0; i < 200_000; i++) {
            assertEquals(0, allocator.allocate(IpProtocol.ESP, 0x1000, 0x1000 + 199_999));
        }
        sad.remove(last);
        assertEquals(last.id().spi(), allocator.allocate(IpProtocol.ESP, 0x1000, 0x1000 + 199_999));
    }

    @Test
    void shouldNotGiveASpiThatAnotherDestinationHas() {
        insert(5, Phase.VALID);
        SpiAllocator allocator = new SpiAllocator(sad, new Random(1));
        assertEquals(0, allocator.allocate(IpProtocol.ESP, 5, 5));
        assertEquals(5, allocator.allocate(IpProtocol.AH, 5, 5));
    }
}
