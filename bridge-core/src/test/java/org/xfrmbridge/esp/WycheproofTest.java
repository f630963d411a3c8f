package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Google's vectors: right ones must come out as they are, wrong ones must be refused. */
class WycheproofTest {
    private static final int GMAC_IV_BYTES = 8;
    private static final int CBC_IV_BYTES = 16;

    /** One line of a file; see its first line for what the fields are. */
    private record Line(String[] fields) {
        boolean isValid() {
            return fields[1].equals("valid");
        }

        byte[] bytes(int field) {
            return fields[field].equals("-") ? new byte[0] : HexFormat.of().parseHex(fields[field]);
        }

        @Override
        public String toString() {
            return "number " + fields[0];
        }
    }

    private static List<Line> read(String name) {
        try (InputStream in = WycheproofTest.class.getResourceAsStream("/vectors/wycheproof/" + name + ".txt")) {
            List<Line> lines = new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> new Line(line.split(" ")))
                    .toList();
            assertTrue(lines.size() > 50, "there are vectors");
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PacketAead aead(String name, Line line) {
        int tagBytes = line.bytes(7).length;
        return switch (name) {
            case "aes-gcm" -> JceAead.aesGcm(line.bytes(2), tagBytes, line.bytes(3), line.bytes(4));
            case "aes-ccm" -> new JceCcm(line.bytes(2), tagBytes, line.bytes(3), line.bytes(4));
            case "chacha20-poly1305" -> JceAead.chacha20Poly1305(line.bytes(2), line.bytes(3), line.bytes(4));
            default -> throw new IllegalArgumentException(name);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"aes-gcm", "aes-ccm", "chacha20-poly1305"})
    void shouldSealAndOpenAsGoogleSays(String name) {
        for (Line line : read(name)) {
            byte[] text = line.bytes(5);
            byte[] sealed = concatenated(line.bytes(6), line.bytes(7));
            PacketAead aead = aead(name, line);
            byte[] data = Arrays.copyOf(text, sealed.length);
            aead.seal(data, 0, text.length);
            assertEquals(line.isValid(), Arrays.equals(sealed, data), line::toString);
            assertEquals(line.isValid(), aead.open(sealed, 0, text.length), line::toString);
            if (line.isValid()) {
                assertArrayEquals(text, Arrays.copyOf(sealed, text.length), line::toString);
            }
        }
    }

    /** What RFC 4543 takes for the IV stands before the text and is authenticated with it. */
    @Test
    void shouldAuthenticateWithGmacAsGoogleSays() {
        for (Line line : read("aes-gmac")) {
            byte[] text = line.bytes(4);
            if (text.length >= GMAC_IV_BYTES) {
                PacketAead gmac = new JceGmac(line.bytes(2), 16, line.bytes(3), new byte[0]);
                byte[] data = concatenated(text, line.bytes(5));
                assertEquals(
                        line.isValid(), gmac.open(data, GMAC_IV_BYTES, text.length - GMAC_IV_BYTES), line::toString);
                gmac.seal(data, GMAC_IV_BYTES, text.length - GMAC_IV_BYTES);
                byte[] tag = Arrays.copyOfRange(data, text.length, data.length);
                assertEquals(line.isValid(), Arrays.equals(line.bytes(5), tag), line::toString);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "aes-cmac, cmac(aes)",
        "hmac-sha1, hmac(sha1)",
        "hmac-sha256, hmac(sha256)",
        "hmac-sha384, hmac(sha384)",
        "hmac-sha512, hmac(sha512)",
        "hmac-sm3, hmac(sm3)"
    })
    void shouldAuthenticateAsGoogleSays(String name, String algorithm) {
        for (Line line : read(name)) {
            byte[] text = line.bytes(3);
            byte[] mac = EspSuites.keyed(AlgorithmTable.find(AlgorithmKind.AUTH, algorithm), line.bytes(2))
                    .mac()
                    .compute(text, 0, text.length);
            assertEquals(
                    line.isValid(),
                    Arrays.equals(line.bytes(4), Arrays.copyOf(mac, line.bytes(4).length)),
                    line::toString);
        }
    }

    @Test
    void shouldEncryptAndDecryptWithCbcAsGoogleSays() {
        for (Line line : read("aes-cbc")) {
            byte[] text = padded(line.bytes(4));
            byte[] expected = line.bytes(5);
            PacketCipher cipher = EspSuites.keyed(AlgorithmTable.find(AlgorithmKind.CIPHER, "cbc(aes)"), line.bytes(2))
                    .cipher();
            byte[] data = concatenated(line.bytes(3), text);
            cipher.encrypt(data, CBC_IV_BYTES, text.length);
            assertArrayEquals(expected, Arrays.copyOfRange(data, CBC_IV_BYTES, data.length), line::toString);
            cipher.decrypt(data, CBC_IV_BYTES, text.length);
            assertArrayEquals(text, Arrays.copyOfRange(data, CBC_IV_BYTES, data.length), line::toString);
        }
    }

    private static byte[] padded(byte[] text) {
        int padBytes = CBC_IV_BYTES - text.length % CBC_IV_BYTES;
        byte[] padded = Arrays.copyOf(text, text.length + padBytes);
        Arrays.fill(padded, text.length, padded.length, (byte) padBytes);
        return padded;
    }

    private static byte[] concatenated(byte[] one, byte[] other) {
        byte[] both = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }
}
