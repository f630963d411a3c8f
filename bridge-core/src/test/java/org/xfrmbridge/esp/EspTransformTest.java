package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every algorithm alike; that the bytes are right is the matter of the vector tests. */
class EspTransformTest {
    private static final int OFFSET = 37;
    private static final int SPI = 0xc0de_0001;
    private static final long SEQUENCE = 0x1234_5678_9abc_def0L;

    private final Random random = new Random(1);

    static List<EspSuites.Named> suites() {
        return EspSuites.all();
    }

    @ParameterizedTest
    @MethodSource("suites")
    void shouldOpenWhatItSealedWhateverTheLength(EspSuites.Named named) {
        for (SequenceWidth width : SequenceWidth.values()) {
            EspTransform sealer = named.suite().transform(SPI, width);
            EspTransform opener = named.suite().transform(SPI, width);
            for (int length : new int[] {1, 2, 3, 13, 14, 15, 16, 17, 100, 1420}) {
                byte[] payload = EspSuites.bytes(random, length);
                byte[] data = packet(sealer.sizes(), payload);
                int espBytes = sealer.seal(data, OFFSET, length, 41, SEQUENCE);

                assertEquals(sealer.sizes().sealedBytes(length), espBytes);
                assertEquals(length, opener.open(data, OFFSET, espBytes, SEQUENCE));
                assertEquals(41, opener.nextHeader());
                assertArrayEquals(payload, payloadOf(opener, data, length));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("suites")
    void shouldWriteNothingOutsideThePacketWhenSealing(EspSuites.Named named) {
        EspTransform sealer = named.suite().transform(SPI, SequenceWidth.EXTENDED);
        byte[] data = packet(sealer.sizes(), new byte[55]);
        int espBytes = sealer.seal(data, OFFSET, 55, 4, SEQUENCE);
        for (int i = 0; i < data.length; i++) {
            if (i < OFFSET || i >= OFFSET + espBytes) {
                assertEquals(0x5a, data[i], "byte " + i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("suites")
    void shouldRefuseThePacketWhenAnyPartOfItWasChanged(EspSuites.Named named) {
        if (named.suite().sizes().icvBytes() == 0) {
            return;
        }
        EspTransform transform = named.suite().transform(SPI, SequenceWidth.EXTENDED);
        byte[] good = packet(transform.sizes(), EspSuites.bytes(random, 20));
        int espBytes = transform.seal(good, OFFSET, 20, 4, SEQUENCE);
        for (int i = OFFSET; i < OFFSET + espBytes; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x10;
            assertEquals(
                    EspTransform.AUTH_FAILED, transform.open(bad, OFFSET, espBytes, SEQUENCE), "byte " + (i - OFFSET));
        }
        assertEquals(EspTransform.AUTH_FAILED, transform.open(good.clone(), OFFSET, espBytes, SEQUENCE ^ 1L << 32));
        assertEquals(20, transform.open(good.clone(), OFFSET, espBytes, SEQUENCE));
    }

    @ParameterizedTest
    @MethodSource("suites")
    void shouldRefuseThePacketWhenItIsCutShort(EspSuites.Named named) {
        EspTransform transform = named.suite().transform(SPI, SequenceWidth.SHORT);
        byte[] good = packet(transform.sizes(), EspSuites.bytes(random, 20));
        int espBytes = transform.seal(good, OFFSET, 20, 4, SEQUENCE);
        int least = transform.sizes().payloadOffset() + transform.sizes().icvBytes();
        for (int length = 0; length < espBytes; length++) {
            int result = transform.open(good.clone(), OFFSET, length, SEQUENCE);
            if (transform.sizes().icvBytes() > 0) {
                assertTrue(result < 0, "length " + length);
            }
            if (length < least) {
                assertEquals(EspTransform.MALFORMED, result, "length " + length);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("suites")
    void shouldNeverRepeatAnIvWhenSealing(EspSuites.Named named) {
        EspLengths sizes = named.suite().sizes();
        if (sizes.ivBytes() == 0) {
            return;
        }
        Set<String> seen = new HashSet<>();
        for (int life = 0; life < 2; life++) {
            EspTransform sealer = named.suite().transform(SPI, SequenceWidth.SHORT);
            for (int i = 0; i < 20; i++) {
                byte[] data = packet(sizes, new byte[1]);
                sealer.seal(data, OFFSET, 1, 4, 0);
                byte[] iv = Arrays.copyOfRange(data, OFFSET + 8, OFFSET + 8 + sizes.ivBytes());
                assertTrue(seen.add(Arrays.toString(iv)), "IV " + i + " of life " + life + " was there before");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("suites")
    void shouldAnswerWipedWhenTheKeysAreGone(EspSuites.Named named) {
        EspTransform used = named.suite().transform(SPI, SequenceWidth.SHORT);
        byte[] data = packet(used.sizes(), new byte[8]);
        used.seal(data, OFFSET, 8, 4, 1);
        used.wipe();
        assertEquals(EspTransform.WIPED, used.seal(data, OFFSET, 8, 4, 1));
        assertEquals(EspTransform.WIPED, used.open(data, OFFSET, 60, 1));
    }

    @ParameterizedTest
    @EnumSource(SequenceWidth.class)
    void shouldAnswerWipedWhenTheKeyWasWipedBeforeTheFirstPacket(SequenceWidth width) {
        KeyMaterial key = KeyMaterial.copyOf(new byte[20]);
        EspTransform transform = EspSuite.aead(new KeyedAlgorithm(
                        AlgorithmTable.aead("rfc4106(gcm(aes))", 128).orElseThrow(), key))
                .transform(SPI, width);
        key.wipe();
        assertEquals(EspTransform.WIPED, transform.seal(new byte[100], 0, 8, 4, 1));
    }

    @Test
    void shouldPadWithOneTwoThreeWhenAligning() {
        EspTransform sealer = EspSuites.pair("cipher_null", new byte[0], "digest_null", new byte[0], 0)
                .transform(SPI, SequenceWidth.SHORT);
        byte[] data = packet(sealer.sizes(), new byte[] {9, 9, 9});
        assertEquals(16, sealer.seal(data, OFFSET, 3, 0x29, 7));
        byte[] expected = {(byte) 0xc0, (byte) 0xde, 0, 1, 0, 0, 0, 7, 9, 9, 9, 1, 2, 3, 3, 0x29};
        assertArrayEquals(expected, Arrays.copyOfRange(data, OFFSET, OFFSET + 16));
    }

    @Test
    void shouldFillWithZerosBeforeThePaddingWhenTfcIsSet() {
        EspTransform sealer = EspSuites.pair("cipher_null", new byte[0], "digest_null", new byte[0], 0)
                .transform(SPI, SequenceWidth.SHORT);
        byte[] data = packet(sealer.sizes(), new byte[] {9, 9, 9});
        assertEquals(16, sealer.seal(data, OFFSET, 3, 5, 0x29, 7));
        byte[] expected = {9, 9, 9, 0, 0, 1, 1, 0x29};
        assertArrayEquals(expected, Arrays.copyOfRange(data, OFFSET + 8, OFFSET + 16));
        assertEquals(20, sealer.seal(packet(sealer.sizes(), new byte[8]), OFFSET, 8, 5, 0x29, 8));
    }

    @Test
    void shouldBoundThePadLengthWhenItIsAuthenticButTooLong() {
        EspTransform transform = EspSuites.pair("cipher_null", new byte[0], "sha256", new byte[32], 96)
                .transform(SPI, SequenceWidth.SHORT);
        for (int padBytes : new int[] {6, 7, 200, 255}) {
            byte[] data = new byte[64];
            data[8 + 6] = (byte) padBytes;
            PacketMac mac = new JceHmac("HmacSHA256", new byte[32]);
            EspTransform.INT.set(data, 0, SPI);
            System.arraycopy(mac.compute(data, 0, 16), 0, data, 16, 12);
            assertEquals(EspTransform.MALFORMED, transform.open(data, 0, 28, 0), "pad length " + padBytes);
        }
    }

    @Test
    void shouldAuthenticateWithTheDefaultLengthWhenNoneIsGiven() {
        assertEquals(
                12,
                EspSuites.pair("aes", new byte[16], "sha256", new byte[32], 0)
                        .sizes()
                        .icvBytes());
        assertEquals(
                0,
                EspSuites.pair("aes", new byte[16], "digest_null", new byte[0], 0)
                        .sizes()
                        .icvBytes());
    }

    @Test
    void shouldRefuseTransformWhenExtendedNumbersMeetATinyIcv() {
        EspSuite suite = EspSuites.pair("aes", new byte[16], "sha256", new byte[32], 24);
        assertThrows(IllegalArgumentException.class, () -> suite.transform(SPI, SequenceWidth.EXTENDED));
        assertEquals(3, suite.transform(SPI, SequenceWidth.SHORT).sizes().icvBytes());
    }

    private static byte[] packet(EspLengths sizes, byte[] payload) {
        byte[] data = new byte[OFFSET + sizes.sealedBytes(payload.length) + 11];
        Arrays.fill(data, (byte) 0x5a);
        System.arraycopy(payload, 0, data, OFFSET + sizes.payloadOffset(), payload.length);
        return data;
    }

    private static byte[] payloadOf(EspTransform transform, byte[] data, int length) {
        int from = OFFSET + transform.sizes().payloadOffset();
        return Arrays.copyOfRange(data, from, from + length);
    }
}
