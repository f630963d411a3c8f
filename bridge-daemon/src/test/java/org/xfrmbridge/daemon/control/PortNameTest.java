package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PortNameTest {
    private static int portId(String name) {
        return PortName.portId(name.getBytes(StandardCharsets.ISO_8859_1), -7);
    }

    @Test
    void shouldReadThePortIdBehindTheLastSlash() {
        assertEquals(0x1234, portId("\0xfrm-bridge/n/1f3a/00001234"));
        assertEquals(0x8000_0001, portId("\0xfrm-bridge/p/1f3a/80000001"));
    }

    @Test
    void shouldTakeTheOtherWhenTheNameIsNotOurs() {
        assertEquals(-7, portId(""));
        assertEquals(-7, portId("/tmp/a/00001234"));
        assertEquals(-7, portId("\0xfrm-bridge/n/1f3a/1234"));
        assertEquals(-7, portId("\0xfrm-bridge/n/1f3a/0000123x"));
    }
}
