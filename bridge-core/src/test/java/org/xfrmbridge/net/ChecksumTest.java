package org.xfrmbridge.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChecksumTest {
    private final Random random = new Random(1071);

    /** One 16-bit word after the other, as RFC 1071 section 4.1 has it. */
    private static int slow(byte[] bytes) {
        int sum = 0;
        for (int i = 0; i < bytes.length; i++) {
            sum += (bytes[i] & 0xff) << (i % 2 == 0 ? 8 : 0);
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return ~sum & 0xffff;
    }

    @Test
    void shouldAgreeWithTheSlowWayForEveryLength() {
        for (int length = 0; length < 200; length++) {
            byte[] bytes = new byte[length];
            for (int round = 0; round < 20; round++) {
                random.nextBytes(bytes);
                assertEquals(slow(bytes), Checksum.finish(Checksum.add(0, bytes, 0, length)));
            }
            Arrays.fill(bytes, (byte) 0xff);
            assertEquals(slow(bytes), Checksum.finish(Checksum.add(0, bytes, 0, length)));
        }
    }

    /** The header of the example in RFC 1071's errata discussions and many textbooks. */
    @Test
    void shouldKnowAHeaderMadeElsewhere() {
        byte[] header = HexFormat.of().parseHex("45000073000040004011b861c0a80001c0a800c7");
        assertTrue(Checksum.isIntact(Checksum.add(0, header, 0, 20)));
        Ipv4.finish(header, 0, 0x73);
        assertEquals(0xb861, Bytes.u16(header, Ipv4.CHECKSUM));
        header[3]++;
        assertFalse(Checksum.isIntact(Checksum.add(0, header, 0, 20)));
    }

    @Test
    void shouldUpdateToWhatAFullSumGives() {
        byte[] header = new byte[20];
        for (int round = 0; round < 5000; round++) {
            random.nextBytes(header);
            header[0] = 0x45;
            Ipv4.finish(header, 0, 20);
            int tos = random.nextInt(256);
            Ipv4.putTos(header, 0, tos);
            assertEquals(tos, header[1] & 0xff);
            assertTrue(Checksum.isIntact(Checksum.add(0, header, 0, 20)));
        }
    }
}
