package org.xfrmbridge.esp;

import static org.xfrmbridge.esp.AlgorithmKind.AEAD;
import static org.xfrmbridge.esp.AlgorithmKind.AUTH;
import static org.xfrmbridge.esp.AlgorithmKind.CIPHER;
import static org.xfrmbridge.esp.AlgorithmKind.COMPRESSION;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.digests.RIPEMD160Digest;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.engines.ARIAEngine;
import org.bouncycastle.crypto.engines.BlowfishEngine;
import org.bouncycastle.crypto.engines.CAST5Engine;
import org.bouncycastle.crypto.engines.CamelliaEngine;
import org.bouncycastle.crypto.engines.DESEngine;
import org.bouncycastle.crypto.engines.DESedeEngine;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.engines.SerpentEngine;
import org.bouncycastle.crypto.engines.TwofishEngine;
import org.xfrmbridge.esp.AlgorithmEntry.Lengths;
import org.xfrmbridge.esp.AlgorithmEntry.PfKey;

/**
 * Every algorithm of Linux {@code net/xfrm/xfrm_algo.c}, in its order, with the PF_KEY numbers of
 * {@code include/uapi/linux/pfkeyv2.h}. hmac(rmd160) left the kernel in 6.17 and ARIA came later than many kernels in
 * use: both are here, as clients of either age ask for them. Immutable; any thread.
 *
 * <p>A new algorithm is a row here and nothing else. One whose engine is null is listed where the kernel lists it, and
 * a State that names it is refused.
 */
public final class AlgorithmTable {
    private static final KeyLengths AES = KeyLengths.aesWithSalt(0);
    private static final AlgorithmEngine NO_ENGINE = null;
    private static final PfKey NO_PF_KEY = null;

    private static final List<AlgorithmEntry> ENTRIES = List.of(
            aesAead("rfc4106(gcm(aes))", 64, 4, 18, BouncyGcm::new),
            aesAead("rfc4106(gcm(aes))", 96, 4, 19, JceAead::aesGcm),
            aesAead("rfc4106(gcm(aes))", 128, 4, 20, JceAead::aesGcm),
            aesAead("rfc4309(ccm(aes))", 64, 3, 14, JceCcm::new),
            aesAead("rfc4309(ccm(aes))", 96, 3, 15, JceCcm::new),
            aesAead("rfc4309(ccm(aes))", 128, 3, 16, JceCcm::new),
            aesAead("rfc4543(gcm(aes))", 128, 4, 23, JceGmac::new),
            aead(
                    "rfc7539esp(chacha20,poly1305)",
                    KeyLengths.exactly(36),
                    aeadLengths(128, 4),
                    NO_PF_KEY,
                    (key, icvBytes, nonce, aad) -> JceAead.chacha20Poly1305(key, nonce, aad)),
            auth("digest_null", KeyLengths.ANY, icv(0, 0), pfKeyAuth(251, 0), PacketMac::none),
            hmac("md5", icv(96, 128), pfKeyAuth(2, 128), key -> new JceHmac("HmacMD5", key)),
            hmac("sha1", icv(96, 160), pfKeyAuth(3, 160), key -> new JceHmac("HmacSHA1", key)),
            hmac("sha256", icv(96, 256), pfKeyAuth(5, 256), key -> new JceHmac("HmacSHA256", key)),
            auth(
                    "hmac(sha384)",
                    KeyLengths.ANY,
                    icv(192, 384),
                    pfKeyAuth(6, 384),
                    key -> new JceHmac("HmacSHA384", key)),
            auth(
                    "hmac(sha512)",
                    KeyLengths.ANY,
                    icv(256, 512),
                    pfKeyAuth(7, 512),
                    key -> new JceHmac("HmacSHA512", key)),
            hmac("rmd160", icv(96, 160), pfKeyAuth(8, 160), key -> new BouncyHmac(new RIPEMD160Digest(), key)),
            auth("xcbc(aes)", AES, icv(96, 128), pfKeyAuth(9, 128), CbcMac::xcbc),
            auth("cmac(aes)", AES, icv(96, 128), NO_PF_KEY, CbcMac::cmac),
            hmac("sm3", icv(256, 256), pfKeyAuth(10, 256), key -> new BouncyHmac(new SM3Digest(), key)),
            cipherNull(),
            cbc("des", KeyLengths.exactly(8), 8, new PfKey(2, 8, 64, 64), bouncy(DESEngine::new)),
            cbc("des3_ede", KeyLengths.exactly(24), 8, new PfKey(3, 8, 192, 192), bouncy(DESedeEngine::new)),
            cbc("cast5", KeyLengths.between(5, 16), 8, new PfKey(6, 8, 40, 128), bouncy(CAST5Engine::new)),
            cbc("blowfish", KeyLengths.between(4, 56), 8, new PfKey(7, 8, 40, 448), bouncy(BlowfishEngine::new)),
            cbc("aes", AES, 16, new PfKey(12, 8, 128, 256), (key, salt) -> JceCipher.aesCbc(key)),
            cbc("serpent", KeyLengths.between(0, 32), 16, new PfKey(252, 8, 128, 256), AlgorithmTable::serpent),
            cbc("camellia", AES, 16, new PfKey(22, 8, 128, 256), bouncy(CamelliaEngine::new)),
            cbc("aria", AES, 16, NO_PF_KEY, bouncy(ARIAEngine::new)),
            ctr("rfc3686(ctr(aria))", NO_PF_KEY, (key, salt) -> new BouncyCtr(new ARIAEngine(), key, salt)),
            cbc("twofish", AES, 16, new PfKey(253, 8, 128, 256), bouncy(TwofishEngine::new)),
            ctr("rfc3686(ctr(aes))", new PfKey(13, 8, 160, 288), JceCipher::aesCtr),
            cbc("sm4", KeyLengths.exactly(16), 16, new PfKey(24, 16, 128, 256), bouncy(SM4Engine::new)),
            compression("deflate", 2, Suite.Deflate.DEFAULT),
            compression("lzs", 3, NO_ENGINE),
            compression("lzjh", 4, NO_ENGINE));

    private AlgorithmTable() {}

    /** All entries in the kernel's order, which is also the order of PF_KEY's REGISTER reply. */
    public static List<AlgorithmEntry> entries() {
        return ENTRIES;
    }

    /**
     * By name or alias, as {@code xfrm_aalg_get_byname} and its siblings do. Empty for an unknown or unavailable one:
     * the kernel answers ENOSYS to both. For an AEAD use {@link #aead}.
     */
    public static Optional<AlgorithmEntry> find(AlgorithmKind kind, String name) {
        return available(kind).filter(entry -> entry.matches(name)).findFirst();
    }

    /** By full name and ICV length, as {@code xfrm_aead_get_byname} does: AEADs have no alias. */
    public static Optional<AlgorithmEntry> aead(String name, int icvBits) {
        return available(AEAD).filter(entry -> entry.matches(name, icvBits)).findFirst();
    }

    /**
     * By PF_KEY number, as {@code xfrm_aalg_get_byid} does for AUTH, CIPHER and COMPRESSION; an AEAD cannot be had that
     * way.
     */
    public static Optional<AlgorithmEntry> byPfKeyId(AlgorithmKind kind, int algId) {
        return available(kind)
                .filter(entry -> entry.pfKeySupported() && entry.pfKey().algId() == algId)
                .findFirst();
    }

    private static Stream<AlgorithmEntry> available(AlgorithmKind kind) {
        return ENTRIES.stream().filter(entry -> entry.kind() == kind && entry.available());
    }

    private static AlgorithmEntry aesAead(
            String name, int icvBits, int saltBytes, int algId, AlgorithmEngine.Aead engine) {
        PfKey pfKey = new PfKey(algId, 8, 128, 256);
        return aead(name, KeyLengths.aesWithSalt(saltBytes), aeadLengths(icvBits, saltBytes), pfKey, engine);
    }

    private static AlgorithmEntry aead(
            String name, KeyLengths keys, Lengths lengths, PfKey pfKey, AlgorithmEngine.Aead engine) {
        return new AlgorithmEntry(AEAD, name, null, keys, lengths, CounterIv::new, pfKey, engine);
    }

    /** An HMAC that also goes by the name of its digest. */
    private static AlgorithmEntry hmac(String digest, Lengths lengths, PfKey pfKey, AlgorithmEngine.Mac engine) {
        String name = "hmac(" + digest + ")";
        return new AlgorithmEntry(AUTH, name, digest, KeyLengths.ANY, lengths, IvSource::none, pfKey, engine);
    }

    private static AlgorithmEntry auth(
            String name, KeyLengths keys, Lengths lengths, PfKey pfKey, AlgorithmEngine.Mac engine) {
        return new AlgorithmEntry(AUTH, name, null, keys, lengths, IvSource::none, pfKey, engine);
    }

    private static AlgorithmEntry cipherNull() {
        return new AlgorithmEntry(
                CIPHER,
                "ecb(cipher_null)",
                "cipher_null",
                KeyLengths.exactly(0),
                new Lengths(0, 0, 1, 0, 0),
                IvSource::none,
                new PfKey(11, 0, 0, 0),
                (AlgorithmEngine.Cipher) (key, salt) -> PacketCipher.NULL);
    }

    private static AlgorithmEntry cbc(
            String cipher, KeyLengths keys, int blockBytes, PfKey pfKey, AlgorithmEngine.Cipher engine) {
        Lengths lengths = new Lengths(0, 0, blockBytes, blockBytes, 0);
        Supplier<IvSource> iv = () -> new PermutedCounterIv(blockBytes);
        return new AlgorithmEntry(CIPHER, "cbc(" + cipher + ")", cipher, keys, lengths, iv, pfKey, engine);
    }

    private static AlgorithmEntry ctr(String name, PfKey pfKey, AlgorithmEngine.Cipher engine) {
        Lengths lengths = new Lengths(0, 0, 1, 8, 4);
        return new AlgorithmEntry(
                CIPHER, name, null, KeyLengths.aesWithSalt(4), lengths, CounterIv::new, pfKey, engine);
    }

    /** As in the kernel, which lists three and has code for deflate alone. */
    private static AlgorithmEntry compression(String name, int algId, AlgorithmEngine engine) {
        PfKey pfKey = new PfKey(algId, 0, 0, 0);
        Lengths lengths = new Lengths(0, 0, 1, 0, 0);
        return new AlgorithmEntry(COMPRESSION, name, null, KeyLengths.ANY, lengths, IvSource::none, pfKey, engine);
    }

    private static PfKey pfKeyAuth(int algId, int keyBits) {
        return new PfKey(algId, 0, keyBits, keyBits);
    }

    private static Lengths icv(int icvBits, int icvFullBits) {
        return new Lengths(icvBits, icvFullBits, 1, 0, 0);
    }

    private static Lengths aeadLengths(int icvBits, int saltBytes) {
        return new Lengths(icvBits, 128, 1, 8, saltBytes);
    }

    private static AlgorithmEngine.Cipher bouncy(Supplier<BlockCipher> cipher) {
        return (key, salt) -> new BouncyCbc(cipher.get(), cipher.get(), key);
    }

    /**
     * Serpent's own key padding, a 1 and zeros up to 32 bytes: Bouncy Castle does it only for lengths that are
     * multiples of 4.
     */
    private static PacketCipher serpent(byte[] key, byte[] salt) {
        byte[] padded = Arrays.copyOf(key, 32);
        if (key.length < 32) {
            padded[key.length] = 1;
        }
        Arrays.fill(key, (byte) 0);
        return new BouncyCbc(new SerpentEngine(), new SerpentEngine(), padded);
    }
}
