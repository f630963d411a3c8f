package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;

class IdentificationsTest {
    /** Each thread's part is as large as it can be, and comes round whole before one is used again. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void shouldGiveEachThreadIpv4NumbersOfItsOwn(int threads) {
        int[] parts = {0, 65536, 32768, 16384, 16384};
        BitSet given = new BitSet();
        for (int thread = 0; thread < threads; thread++) {
            Identifications identifications = new Identifications(thread, threads);
            int all = parts[threads] - (thread == 0 ? 1 : 0);
            BitSet own = new BitSet();
            for (int i = 0; i < all; i++) {
                int next = identifications.nextIpv4();
                assertTrue(next > 0 && next <= 0xffff, "0 stands for none");
                assertFalse(own.get(next) || given.get(next), () -> next + " again");
                own.set(next);
            }
            assertTrue(own.get(identifications.nextIpv4()), "all were given");
            given.or(own);
        }
    }

    /** As a device that cuts super-frames counts. */
    @Test
    void shouldCountUp() {
        Identifications identifications = new Identifications(2, 3);
        int steps = 0;
        int last = identifications.nextIpv4();
        for (int i = 0; i < 10_000; i++) {
            int next = identifications.nextIpv4();
            steps += next == last + 1 ? 1 : 0;
            last = next;
        }
        assertTrue(steps >= 9_999, () -> "no more than one is where they come round");
    }

    @Test
    void shouldGiveEachThreadIpv6NumbersOfItsOwn() {
        Set<Integer> given = new HashSet<>();
        for (int thread = 0; thread < 4; thread++) {
            Identifications identifications = new Identifications(thread, 4);
            for (int i = 0; i < 1000; i++) {
                int next = identifications.nextIpv6();
                assertEquals(thread, next >>> 30);
                assertTrue(given.add(next));
            }
        }
        Identifications alone = new Identifications(0, 1);
        assertEquals(alone.nextIpv6() + 1, alone.nextIpv6());
    }

    /** SAs between the same ends. */
    @Test
    void shouldBeThoseOfTheThreadThatSends() {
        TestHost host = new TestHost(4, "10.1.0.1");
        Set<Integer> threads = new HashSet<>();
        for (int group = 0; group < 16; group++) {
            host.policy(
                    Direction.OUT,
                    Sas.between("10.1.0.0/16", "10.2." + group + ".0/24"),
                    Sas.template(Mode.TUNNEL, "192.0.2.1", "192.0.2.2", 10 + group, false));
            State state = Sas.state(Sas.spec(Mode.TUNNEL, "192.0.2.1", "192.0.2.2", 0x100 + group)
                    .reqid(10 + group));
            host.sad.insert(state);
            byte[] frame = host.send(
                            Frames.udp("10.1.0.1", "10.2." + group + ".1").frame())
                    .getFirst();
            int thread = state.outboundOwner().thread();
            assertEquals(thread, Bytes.u16(frame, Ethernet.HEADER_BYTES + Ipv4.ID) >>> 14);
            threads.add(thread);
        }
        assertTrue(threads.size() > 1);
    }
}
