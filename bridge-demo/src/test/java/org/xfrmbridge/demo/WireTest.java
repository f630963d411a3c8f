package org.xfrmbridge.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.lab.LabException;

/** The judgement of what the sniffer printed, and how it is shown. */
class WireTest {
    private static final String ESP = "0.250000 ESP 192.0.2.1 > 192.0.2.2: ESP(spi=0x00001001,seq=0x1), length 120\n";

    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final Screen screen = new Screen(new PrintStream(shown, true, StandardCharsets.UTF_8), false);

    private String judge(String seen, int expected) {
        Wire.judge(seen, screen, expected);
        return shown.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldCountEachKindWhenAllIsProtected() {
        String text = judge("a warning of the JVM\nlistening on eth0\n0.1 IKE a\n0.2 NEIGHBOUR b\n" + ESP + ESP, 2);
        assertEquals("""
                        0.100 s  a
                        0.250 s  192.0.2.1 > 192.0.2.2: ESP(spi=0x00001001,seq=0x1), length 120
                        0.250 s  192.0.2.1 > 192.0.2.2: ESP(spi=0x00001001,seq=0x1), length 120
                     ok  2 ESP packets (besides: 1 ARP and neighbour discovery, 1 IKE); no inner address, \
                no text of the pings
                """.replaceAll("(?m)^ +", ""), text.replaceAll("(?m)^ +", ""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"CLEAR", "SECRET"})
    void shouldFailWhenOneFrameWasReadable(String kind) {
        LabException failure =
                assertThrows(LabException.class, () -> judge(ESP + "0.3 " + kind + " who: what\n" + ESP, 1));
        assertEquals("a frame on the wire could be read by everybody: who: what", failure.getMessage());
    }

    @Test
    void shouldFailWhenTooLittleWasSeen() {
        assertTrue(assertThrows(LabException.class, () -> judge(ESP, 2))
                .getMessage()
                .contains("only 1 of at least 2"));
        assertThrows(LabException.class, () -> judge("listening on eth0\n", 1));
    }
}
