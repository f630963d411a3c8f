package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Published vectors, byte for byte; each file under {@code vectors/} names its sources. */
class VectorTest {
    private static final int OFFSET = 5;

    static Stream<Vector> espPackets() {
        return Stream.of("esp-aes-gcm.txt", "esp-aes-gmac.txt", "esp-chacha20-poly1305.txt", "esp-aes-cbc.txt")
                .map(Vector::read)
                .flatMap(List::stream);
    }

    static List<Vector> ciphers() {
        return Vector.read("ciphers.txt");
    }

    static List<Vector> macs() {
        return Vector.read("macs.txt");
    }

    static List<Vector> ccm() {
        return Vector.read("ccm.txt");
    }

    @ParameterizedTest
    @MethodSource("espPackets")
    void shouldSealToThePublishedPacket(Vector vector) {
        byte[] packet = vector.bytes("packet");
        byte[] text = vector.bytes("text");
        int ivBytes = suite(vector).sizes().ivBytes();
        EspTransform transform =
                transform(vector, (data, offset) -> System.arraycopy(packet, 8, data, offset, ivBytes));
        int payloadBytes = payloadBytes(text);
        byte[] data = new byte[OFFSET + packet.length];
        System.arraycopy(text, 0, data, OFFSET + transform.sizes().payloadOffset(), payloadBytes);

        int sealed = transform.seal(data, OFFSET, payloadBytes, text[text.length - 1], sequence(vector));

        assertEquals(packet.length, sealed);
        assertArrayEquals(packet, Arrays.copyOfRange(data, OFFSET, data.length));
    }

    @ParameterizedTest
    @MethodSource("espPackets")
    void shouldOpenThePublishedPacket(Vector vector) {
        byte[] packet = vector.bytes("packet");
        byte[] text = vector.bytes("text");
        EspTransform transform = transform(vector, (data, offset) -> {});
        byte[] data = new byte[OFFSET + packet.length];
        System.arraycopy(packet, 0, data, OFFSET, packet.length);

        int payloadBytes = transform.open(data, OFFSET, packet.length, sequence(vector));

        assertEquals(payloadBytes(text) == 0 ? EspTransform.MALFORMED : payloadBytes(text), payloadBytes);
        assertEquals(text[text.length - 1], transform.nextHeader());
        int from = OFFSET + transform.sizes().payloadOffset();
        assertArrayEquals(text, Arrays.copyOfRange(data, from, from + text.length));
    }

    @ParameterizedTest
    @MethodSource("ciphers")
    void shouldEncryptAndDecryptAsPublished(Vector vector) {
        byte[] text = vector.bytes("text");
        byte[] expected = vector.bytes("cipher-text");
        int ivBytes = vector.bytes("iv").length;
        PacketCipher cipher = EspSuites.keyed(
                        AlgorithmTable.find(AlgorithmKind.CIPHER, vector.get("cipher")), vector.bytes("key"))
                .cipher();
        byte[] data = Arrays.copyOf(vector.bytes("iv"), ivBytes + text.length);
        System.arraycopy(text, 0, data, ivBytes, text.length);

        cipher.encrypt(data, ivBytes, text.length);
        assertArrayEquals(expected, Arrays.copyOfRange(data, ivBytes, data.length));
        cipher.decrypt(data, ivBytes, text.length);
        assertArrayEquals(text, Arrays.copyOfRange(data, ivBytes, data.length));
    }

    @ParameterizedTest
    @MethodSource("macs")
    void shouldAuthenticateAsPublished(Vector vector) {
        byte[] text = vector.bytes("text");
        PacketMac mac = EspSuites.keyed(
                        AlgorithmTable.find(AlgorithmKind.AUTH, vector.get("auth")), vector.bytes("key"))
                .mac();
        byte[] data = new byte[OFFSET + text.length + 1];
        System.arraycopy(text, 0, data, OFFSET, text.length);
        for (int times = 0; times < 2; times++) {
            assertArrayEquals(vector.bytes("mac"), mac.compute(data, OFFSET, text.length));
        }
    }

    @ParameterizedTest
    @MethodSource("ccm")
    void shouldSealCcmAsPublished(Vector vector) {
        byte[] text = vector.bytes("text");
        byte[] sealed = vector.bytes("sealed");
        int icvBytes = sealed.length - text.length;
        PacketAead aead = new JceCcm(vector.bytes("key"), icvBytes, vector.bytes("nonce"), vector.bytes("aad"));
        byte[] data = Arrays.copyOf(text, sealed.length);

        aead.seal(data, 0, text.length);
        assertArrayEquals(sealed, data);
        assertTrue(aead.open(data, 0, text.length));
        assertArrayEquals(text, Arrays.copyOf(data, text.length));
        sealed[0] ^= 1;
        assertFalse(aead.open(sealed, 0, text.length));
    }

    private static EspTransform transform(Vector vector, IvSource ivSource) {
        int spi = (int) EspTransform.INT.get(vector.bytes("spi"), 0);
        SequenceWidth width = vector.get("sequence").length() == 16 ? SequenceWidth.EXTENDED : SequenceWidth.SHORT;
        return suite(vector).transform(spi, width, ivSource);
    }

    private static EspSuite suite(Vector vector) {
        byte[] key = vector.bytes("key");
        if (vector.get("aead") == null) {
            return EspSuites.pair(vector.get("cipher"), key, "digest_null", new byte[0], 0);
        }
        String[] aead = vector.get("aead").split(" ");
        return EspSuites.aead(aead[0], Integer.parseInt(aead[1]), key);
    }

    private static long sequence(Vector vector) {
        return Long.parseUnsignedLong(vector.get("sequence"), 16);
    }

    private static int payloadBytes(byte[] text) {
        return text.length - 2 - text[text.length - 2];
    }
}
