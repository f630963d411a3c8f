package org.xfrmbridge.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

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
    void shouldRefuseTooFewBytes() {
        assertThrows(IllegalArgumentException.class, () -> MacAddress.parse("02:00"));
    }
}
