package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EspLengthsTest {
    /** The inner MTUs known of Linux tunnels in IPv4 over an MTU of 1500: 1446 and 1438, and those in UDP. */
    @ParameterizedTest
    @CsvSource({
        "8, 1, 16, 1480, 1446",
        "16, 16, 16, 1480, 1438",
        "16, 16, 12, 1480, 1438",
        "8, 1, 16, 1472, 1438",
        "16, 16, 16, 1472, 1422"
    })
    void shouldComputeTheMtuAsXfrmStateMtu(int ivBytes, int blockBytes, int icvBytes, int room, int payload) {
        assertEquals(payload, new EspLengths(ivBytes, blockBytes, icvBytes).maxPayloadFor(room));
    }

    @ParameterizedTest
    @MethodSource("org.xfrmbridge.esp.EspSuites#all")
    void shouldFitTheLongestPayloadAndNotOneByteMore(EspSuites.Named named) {
        EspLengths sizes = named.suite().sizes();
        for (int room = 100; room < 180; room++) {
            int payload = sizes.maxPayloadFor(room);
            assertTrue(sizes.sealedBytes(payload) <= room);
            assertTrue(sizes.sealedBytes(payload + 1) > room);
            assertTrue(sizes.sealedBytes(payload) - payload <= sizes.overheadBytes());
        }
    }

    @Test
    void shouldBeNegativeWhenNotEvenTheOverheadFits() {
        assertTrue(new EspLengths(8, 1, 16).maxPayloadFor(30) < 0);
    }
}
