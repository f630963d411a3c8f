package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.xfrmbridge.esp.AlgorithmKind.AUTH;
import static org.xfrmbridge.esp.AlgorithmKind.CIPHER;
import static org.xfrmbridge.esp.AlgorithmKind.COMPRESSION;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AlgorithmTableTest {
    @ParameterizedTest
    @CsvSource({
        "AUTH, md5, hmac(md5)",
        "AUTH, sha1, hmac(sha1)",
        "AUTH, sha256, hmac(sha256)",
        "AUTH, rmd160, hmac(rmd160)",
        "AUTH, sm3, hmac(sm3)",
        "AUTH, hmac(sha512), hmac(sha512)",
        "CIPHER, aes, cbc(aes)",
        "CIPHER, des3_ede, cbc(des3_ede)",
        "CIPHER, cipher_null, ecb(cipher_null)",
        "CIPHER, cast5, cbc(cast5)",
        "CIPHER, rfc3686(ctr(aes)), rfc3686(ctr(aes))"
    })
    void shouldFindByNameAndAlias(AlgorithmKind kind, String name, String found) {
        assertEquals(found, AlgorithmTable.find(kind, name).orElseThrow().name());
    }

    @ParameterizedTest
    @CsvSource({
        "AUTH, sha512",
        "AUTH, sha384",
        "AUTH, aes",
        "CIPHER, sha1",
        "CIPHER, nosuch",
        "CIPHER, ''",
        "COMPRESSION, lzs"
    })
    void shouldFindNothingWhenTheKernelHasNoSuchNameOfThatKind(AlgorithmKind kind, String name) {
        assertTrue(AlgorithmTable.find(kind, name).isEmpty());
    }

    @Test
    void shouldFindAeadByNameAndIcvTogether() {
        assertEquals(
                20,
                AlgorithmTable.aead("rfc4106(gcm(aes))", 128)
                        .orElseThrow()
                        .pfKey()
                        .algId());
        assertEquals(
                14,
                AlgorithmTable.aead("rfc4309(ccm(aes))", 64)
                        .orElseThrow()
                        .pfKey()
                        .algId());
        assertTrue(AlgorithmTable.aead("rfc4106(gcm(aes))", 120).isEmpty());
        assertTrue(AlgorithmTable.aead("gcm(aes)", 128).isEmpty());
    }

    @ParameterizedTest
    @CsvSource({
        "cbc(aes), 128 192 256, 0 64 120 136 160 512",
        "rfc3686(ctr(aes)), 160 224 288, 128 192 256",
        "cbc(des), 64, 0 56 128",
        "cbc(des3_ede), 192, 128 168 256",
        "cbc(blowfish), 32 128 448, 24 456",
        "cbc(cast5), 40 128, 32 136",
        "cbc(serpent), 0 8 256, 264",
        "cbc(sm4), 128, 256",
        "ecb(cipher_null), 0, 8 128"
    })
    void shouldAcceptTheKeyLengthsOfTheCipher(String name, String good, String bad) {
        check(AlgorithmTable.find(CIPHER, name).orElseThrow(), 0, good, bad);
    }

    @ParameterizedTest
    @CsvSource({
        "rfc4106(gcm(aes)), 128, 160 224 288, 128 256 0 8",
        "rfc4309(ccm(aes)), 96, 152 216 280, 160 128",
        "rfc4543(gcm(aes)), 128, 160 224 288, 128",
        "'rfc7539esp(chacha20,poly1305)', 128, 288, 256 160"
    })
    void shouldAcceptTheKeyLengthsOfTheAeadSaltIncluded(String name, int icvBits, String good, String bad) {
        check(AlgorithmTable.aead(name, icvBits).orElseThrow(), icvBits, good, bad);
    }

    @Test
    void shouldAcceptTruncationUpToTheDigestAndAnyHmacKey() {
        AlgorithmEntry sha256 = AlgorithmTable.find(AUTH, "sha256").orElseThrow();
        assertEquals(Optional.empty(), sha256.refusal(256, 128));
        assertEquals(Optional.empty(), sha256.refusal(0, 256));
        assertEquals(Optional.empty(), sha256.refusal(4096, 0));
        assertTrue(sha256.refusal(256, 264).isPresent());
        assertTrue(sha256.refusal(256, 7).isPresent());
        assertTrue(sha256.refusal(-8, 128).isPresent());
    }

    @Test
    void shouldListForPfKeyWhatTheKernelRegisters() {
        assertEquals(List.of(251, 2, 3, 5, 6, 7, 8, 9, 10), pfKeyIds(AUTH));
        assertEquals(List.of(11, 2, 3, 6, 7, 12, 252, 22, 253, 13, 24), pfKeyIds(CIPHER));
        assertEquals(List.of(2, 3, 4), pfKeyIds(COMPRESSION));
        assertEquals(
                "cbc(aes)", AlgorithmTable.byPfKeyId(CIPHER, 12).orElseThrow().name());
        assertTrue(AlgorithmTable.byPfKeyId(CIPHER, 20).isEmpty(), "an AEAD is not in the list that PF_KEY looks into");
    }

    @Test
    void shouldHaveATransformForEveryAvailableAlgorithm() {
        long ciphers = AlgorithmTable.entries().stream()
                .filter(entry -> entry.kind() == CIPHER)
                .count();
        long macs = AlgorithmTable.entries().stream()
                .filter(entry -> entry.kind() == AUTH)
                .count();
        assertEquals(16 + ciphers * macs * 2, EspSuites.all().size());
    }

    private static void check(AlgorithmEntry entry, int icvBits, String good, String bad) {
        for (String bits : good.split(" ")) {
            assertEquals(Optional.empty(), entry.refusal(Integer.parseInt(bits), icvBits), bits);
        }
        for (String bits : bad.split(" ")) {
            assertTrue(entry.refusal(Integer.parseInt(bits), icvBits).isPresent(), bits);
        }
    }

    private static List<Integer> pfKeyIds(AlgorithmKind kind) {
        return AlgorithmTable.entries().stream()
                .filter(entry -> entry.kind() == kind && entry.pfKeySupported())
                .map(entry -> entry.pfKey().algId())
                .toList();
    }
}
