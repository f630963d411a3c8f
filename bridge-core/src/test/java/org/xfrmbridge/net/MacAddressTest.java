package org.xfrmbridge.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MacAddressTest {
    @Test
    void shouldReadAndWriteTheBytesOfTheWire() {
        byte[] data = {0, 0x02, (byte) 0x80, 0x01, (byte) 0xff, 0x10, (byte) 0xfe};
        long mac = MacAddress.read(data, 1);
        assertEquals("02:80:01:ff:10:fe", MacAddress.toText(mac));
        assertEquals(mac, MacAddress.parse("02:80:01:ff:10:fe"));
        byte[] copy = new byte[7];
        MacAddress.write(copy, 1, mac);
        assertEquals(mac, MacAddress.read(copy, 1));
    }

    @Test
    void shouldTellGroups() {
        assertTrue(MacAddress.isGroup(MacAddress.BROADCAST));
        assertTrue(MacAddress.isGroup(MacAddress.parse("33:33:00:00:00:01")));
        assertFalse(MacAddress.isGroup(MacAddress.parse("02:00:00:00:00:01")));
        assertThrows(IllegalArgumentException.class, () -> MacAddress.parse("02:00"));
    }
}
