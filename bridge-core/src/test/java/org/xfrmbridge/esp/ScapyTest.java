package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * ESP by Scapy, which nobody here wrote, against ours, both ways, for each algorithm it knows, with short and extended
 * numbers.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ScapyTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final int SPI = 0xbad5_eed5;
    private static final long SEQUENCE = 0x0000_0007_8000_00ffL;
    private static final int[] LENGTHS = {1, 2, 5, 13, 14, 15, 16, 30, 31, 64, 1400};

    @RegisterExtension
    static final ScapyJudge judge = new ScapyJudge("/scapy/esp_judge.py");

    private final Random random = new Random(50);

    /** An algorithm pair under Scapy's names and ours. {@code auth} is AEAD for combined modes. */
    record Case(
            String crypt,
            String ourCipher,
            int keyBytes,
            String auth,
            String ourAuth,
            int authKeyBytes,
            int icvBytes,
            SequenceWidth width) {
        EspSuite suite(byte[] key, byte[] authKey) {
            return auth.equals("AEAD")
                    ? EspSuites.aead(ourCipher, icvBytes * 8, key)
                    : EspSuites.pair(ourCipher, key, ourAuth, authKey, icvBytes * 8);
        }

        @Override
        public String toString() {
            return crypt + " " + keyBytes * 8 + " " + auth + " " + icvBytes + " " + width;
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (SequenceWidth width : SequenceWidth.values()) {
            for (int keyBytes : new int[] {16, 24, 32}) {
                cases.add(aead("AES-GCM", "rfc4106(gcm(aes))", keyBytes + 4, 16, width));
                cases.add(aead("AES-GCM-SHORT", "rfc4106(gcm(aes))", keyBytes + 4, 12, width));
                cases.add(aead("AES-GCM-SHORT", "rfc4106(gcm(aes))", keyBytes + 4, 8, width));
                cases.add(aead("AES-GMAC", "rfc4543(gcm(aes))", keyBytes + 4, 16, width));
                for (int icvBytes : new int[] {8, 12, 16}) {
                    cases.add(aead("AES-CCM", "rfc4309(ccm(aes))", keyBytes + 3, icvBytes, width));
                }
            }
            cases.add(aead("CHACHA20-POLY1305", "rfc7539esp(chacha20,poly1305)", 36, 16, width));
            addMacs(cases, width);
            addCiphers(cases, width);
        }
        return cases;
    }

    private static void addMacs(List<Case> cases, SequenceWidth width) {
        for (String cipher : new String[] {"AES-CBC cbc(aes) 16", "NULL cipher_null 0"}) {
            cases.add(pair(cipher, "HMAC-SHA1-96 sha1 20 12", width));
            cases.add(pair(cipher, "SHA2-256-128 sha256 32 16", width));
            cases.add(pair(cipher, "SHA2-384-192 hmac(sha384) 48 24", width));
            cases.add(pair(cipher, "SHA2-512-256 hmac(sha512) 64 32", width));
            cases.add(pair(cipher, "HMAC-MD5-96 md5 16 12", width));
            cases.add(pair(cipher, "AES-CMAC-96 cmac(aes) 16 12", width));
            cases.add(pair(cipher, "NULL digest_null 0 0", width));
        }
    }

    private static void addCiphers(List<Case> cases, SequenceWidth width) {
        String auth = "SHA2-256-128 sha256 32 16";
        for (String cipher : new String[] {
            "AES-CBC cbc(aes) 24",
            "AES-CBC cbc(aes) 32",
            "AES-CTR rfc3686(ctr(aes)) 20",
            "AES-CTR rfc3686(ctr(aes)) 28",
            "AES-CTR rfc3686(ctr(aes)) 36",
            "3DES des3_ede 24",
            "DES des 8",
            "Blowfish blowfish 16",
            "Blowfish blowfish 56",
            "CAST cast5 16",
            "CAST cast5 5"
        }) {
            cases.add(pair(cipher, auth, width));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldOpenWhatScapySealed(Case test) throws IOException {
        assumeKnown(test);
        byte[] key = EspSuites.bytes(random, test.keyBytes());
        byte[] authKey = EspSuites.bytes(random, test.authKeyBytes());
        EspTransform opener = test.suite(key, authKey).transform(SPI, test.width());
        for (int length : LENGTHS) {
            byte[] payload = EspSuites.bytes(random, length);
            byte[] iv = EspSuites.bytes(random, opener.sizes().ivBytes());
            byte[] packet = HEX.parseHex(judge.ask("seal " + association(test, key, authKey) + " next=253 iv=" + hex(iv)
                    + " payload=" + hex(payload)));

            assertEquals(opener.sizes().sealedBytes(length), packet.length);
            assertEquals(length, opener.open(packet, 0, packet.length, sequence(test)));
            assertEquals(253, opener.nextHeader());
            int from = opener.sizes().payloadOffset();
            assertArrayEquals(payload, Arrays.copyOfRange(packet, from, from + length));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldSealWhatScapyOpens(Case test) throws IOException {
        assumeKnown(test);
        byte[] key = EspSuites.bytes(random, test.keyBytes());
        byte[] authKey = EspSuites.bytes(random, test.authKeyBytes());
        EspTransform sealer = test.suite(key, authKey).transform(SPI, test.width());
        for (int length : LENGTHS) {
            byte[] payload = EspSuites.bytes(random, length);
            byte[] packet = seal(sealer, payload, sequence(test));
            assertEquals(
                    "253 " + HEX.formatHex(payload),
                    judge.ask("open " + association(test, key, authKey) + " packet=" + hex(packet)));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldSealTheSameBytesAsScapyUnderTheSameIv(Case test) throws IOException {
        assumeKnown(test);
        byte[] key = EspSuites.bytes(random, test.keyBytes());
        byte[] authKey = EspSuites.bytes(random, test.authKeyBytes());
        EspTransform sealer = test.suite(key, authKey).transform(SPI, test.width());
        for (int length : LENGTHS) {
            byte[] payload = EspSuites.bytes(random, length);
            byte[] packet = seal(sealer, payload, sequence(test));
            byte[] iv = Arrays.copyOfRange(
                    packet, EspLengths.HEADER_BYTES, sealer.sizes().payloadOffset());
            String scapys = judge.ask(
                    "seal " + association(test, key, authKey) + " next=253 iv=" + hex(iv) + " payload=" + hex(payload));
            assertEquals(scapys, hex(packet));
        }
    }

    @Test
    void shouldHearTheJudgeRefuseAChangedPacket() throws IOException {
        Case test = aead("AES-GCM", "rfc4106(gcm(aes))", 20, 16, SequenceWidth.SHORT);
        byte[] key = EspSuites.bytes(random, 20);
        byte[] packet = seal(test.suite(key, new byte[0]).transform(SPI, test.width()), new byte[10], sequence(test));
        packet[20] ^= 1;
        assertTrue(judge.answer("open " + association(test, key, new byte[0]) + " packet=" + hex(packet))
                .startsWith("error "));
    }

    private static byte[] seal(EspTransform sealer, byte[] payload, long sequence) {
        byte[] packet = new byte[sealer.sizes().sealedBytes(payload.length)];
        System.arraycopy(payload, 0, packet, sealer.sizes().payloadOffset(), payload.length);
        assertEquals(packet.length, sealer.seal(packet, 0, payload.length, 253, sequence));
        return packet;
    }

    private static void assumeKnown(Case test) {
        assumeTrue(judge.knows(test.crypt()), "this Scapy has no " + test.crypt());
        assumeTrue(test.auth().equals("AEAD") || judge.knows(test.auth()), "this Scapy has no " + test.auth());
    }

    private static Case aead(String crypt, String ours, int keyBytes, int icvBytes, SequenceWidth width) {
        return new Case(crypt, ours, keyBytes, "AEAD", null, 0, icvBytes, width);
    }

    /** @param cipher and auth: Scapy's name, our name, key bytes, and for auth the ICV bytes */
    private static Case pair(String cipher, String auth, SequenceWidth width) {
        String[] c = cipher.split(" ");
        String[] a = auth.split(" ");
        return new Case(
                c[0], c[1], Integer.parseInt(c[2]), a[0], a[1], Integer.parseInt(a[2]), Integer.parseInt(a[3]), width);
    }

    private static String association(Case test, byte[] key, byte[] authKey) {
        String sequence =
                test.width() == SequenceWidth.EXTENDED ? "%016x".formatted(SEQUENCE) : "%08x".formatted((int) SEQUENCE);
        return "crypt=" + test.crypt() + " ckey=" + hex(key) + " auth=" + test.auth() + " akey=" + hex(authKey)
                + " icv=" + test.icvBytes() + " spi=" + HEX.toHexDigits(SPI) + " seq=" + sequence;
    }

    private static long sequence(Case test) {
        return test.width() == SequenceWidth.EXTENDED ? SEQUENCE : Integer.toUnsignedLong((int) SEQUENCE);
    }

    private static String hex(byte[] bytes) {
        return bytes.length == 0 ? "-" : HEX.formatHex(bytes);
    }
}
