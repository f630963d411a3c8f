package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * XFRMA_TFCPAD: short packets of a tunnel look as long as it says, and arrive as they were (RFC 4303 2.7;
 * {@code esp_output}).
 */
class TfcPaddingTest {
    private static final String[] INNER = {"10.1.0.1", "10.2.0.1"};
    private static final String[] OUTER = {"192.0.2.1", "192.0.2.2"};
    private static final int[] PAYLOADS = {0, 1, 100, 400, 1300};

    private final TestHost left = new TestHost(OUTER[0], INNER[0]);
    private final TestHost right = new TestHost(OUTER[1], INNER[1]);

    private void connect(int padBytes, Sas.Cipher suite) {
        for (TestHost host : List.of(left, right)) {
            Direction direction = host == left ? Direction.OUT : Direction.IN;
            host.policy(
                    direction,
                    Sas.between("10.1.0.0/16", "10.2.0.0/16"),
                    Sas.template(Mode.TUNNEL, OUTER[0], OUTER[1]));
            StateSpecBuilder spec =
                    Sas.spec(Mode.TUNNEL, OUTER[0], OUTER[1], 0x100).tfcPadBytes(host == left ? padBytes : 0);
            host.sad.insert(Sas.state(spec, suite));
        }
    }

    private int wireBytes(int payloadBytes) {
        Frames frames = Frames.udp(INNER[0], INNER[1]).bytes(payloadBytes);
        List<byte[]> wire = left.send(frames.frame());
        assertEquals(1, wire.size(), left.stats::toProcText);
        int bytes = wire.getFirst().length;
        List<byte[]> arrived = right.receive(wire);
        assertEquals(1, arrived.size(), right.stats::toProcText);
        assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(Sas.Cipher.class)
    void shouldMakeShortPacketsEquallyLong(Sas.Cipher suite) {
        connect(600, suite);

        int shortest = wireBytes(0);

        assertTrue(shortest > 600);
        assertEquals(shortest, wireBytes(100));
        assertEquals(shortest, wireBytes(400));
        assertTrue(wireBytes(1300) > shortest);
    }

    /** Unsigned: the last two are 2^31 and 2^32 - 1. */
    @ParameterizedTest
    @ValueSource(ints = {1 << 16, Integer.MAX_VALUE, Integer.MIN_VALUE, -1})
    void shouldPadAsFarAsThePathAllowsWhenMoreIsWanted(int padBytes) {
        connect(padBytes, Sas.Cipher.GCM);

        int longest = wireBytes(0);

        assertTrue(longest > 1480 && longest <= 1514, () -> "frame of " + longest);
        for (int payload : PAYLOADS) {
            assertEquals(longest, wireBytes(payload));
        }
    }

    /** Each bundle has its own way and its own limit, though they share the State. */
    @Test
    void shouldPadEachPacketAsItsOwnWayAllowsWhereBundlesShareAState() {
        StateSpecBuilder inner =
                Sas.spec(Mode.TUNNEL, OUTER[0], OUTER[1], 0x100).tfcPadBytes(0xffff);
        left.sad.insert(Sas.state(inner));
        StateSpecBuilder outer =
                Sas.spec(Mode.TRANSPORT, OUTER[0], OUTER[1], 0x200).reqid(2);
        left.sad.insert(Sas.state(outer));
        Template tunnel = Sas.template(Mode.TUNNEL, OUTER[0], OUTER[1]);
        left.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/16"), tunnel);
        Template around = Sas.template(Mode.TRANSPORT, OUTER[0], OUTER[1], 2, false);
        left.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.3.0.0/16"), tunnel, around);

        int twice = longest("10.3.0.1");
        int once = longest("10.2.0.1");

        assertTrue(once > 1480 && once <= 1514, () -> "frame of " + once);
        assertEquals(twice, longest("10.3.0.1"));
        assertEquals(once, longest("10.2.0.1"));
    }

    /** The one frame that a short packet becomes. */
    private int longest(String destination) {
        List<byte[]> wire =
                left.send(Frames.udp(INNER[0], destination).bytes(10).frame());
        assertEquals(
                List.of(wire.getFirst().length),
                wire.stream().map(frame -> frame.length).toList());
        return wire.getFirst().length;
    }
}
