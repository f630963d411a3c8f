package org.xfrmbridge.esp;

import static org.xfrmbridge.esp.AlgorithmKind.AEAD;
import static org.xfrmbridge.esp.AlgorithmKind.AUTH;
import static org.xfrmbridge.esp.AlgorithmKind.CIPHER;
import static org.xfrmbridge.esp.AlgorithmKind.COMPRESSION;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.xfrmbridge.esp.AlgorithmEntry.PfKey;
import org.xfrmbridge.esp.AlgorithmEntry.Shape;

/**
 * Every algorithm of Linux {@code net/xfrm/xfrm_algo.c}, in its order, with the PF_KEY numbers of
 * {@code include/uapi/linux/pfkeyv2.h}. hmac(rmd160) left the kernel in 6.17 and ARIA came later than many kernels in
 * use: both are here, as clients of either age ask for them. Immutable; any thread.
 */
public final class AlgorithmTable {
    private static final KeyLengths AES = KeyLengths.aesWithSalt(0);

    private static final List<AlgorithmEntry> ENTRIES = List.of(
            gcm(64, 18),
            gcm(96, 19),
            gcm(128, 20),
            ccm(64, 14),
            ccm(96, 15),
            ccm(128, 16),
            aead(
                    "rfc4543(gcm(aes))",
                    KeyLengths.aesWithSalt(4),
                    new Shape(128, 128, 1, 8, 4),
                    new PfKey(23, 8, 128, 256)),
            aead("rfc7539esp(chacha20,poly1305)", KeyLengths.exactly(36), new Shape(128, 128, 1, 8, 4), null),
            auth("digest_null", null, KeyLengths.ANY, icv(0, 0), new PfKey(251, 0, 0, 0)),
            hmac("md5", icv(96, 128), pfKeyAuth(2, 128)),
            hmac("sha1", icv(96, 160), pfKeyAuth(3, 160)),
            hmac("sha256", icv(96, 256), pfKeyAuth(5, 256)),
            auth("hmac(sha384)", null, KeyLengths.ANY, icv(192, 384), pfKeyAuth(6, 384)),
            auth("hmac(sha512)", null, KeyLengths.ANY, icv(256, 512), pfKeyAuth(7, 512)),
            hmac("rmd160", icv(96, 160), pfKeyAuth(8, 160)),
            auth("xcbc(aes)", null, AES, icv(96, 128), pfKeyAuth(9, 128)),
            auth("cmac(aes)", null, AES, icv(96, 128), null),
            hmac("sm3", icv(256, 256), pfKeyAuth(10, 256)),
            cipher("ecb(cipher_null)", KeyLengths.exactly(0), 0, block(1, 0), new PfKey(11, 0, 0, 0)),
            cipher("cbc(des)", KeyLengths.exactly(8), 64, cbc(8), new PfKey(2, 8, 64, 64)),
            cipher("cbc(des3_ede)", KeyLengths.exactly(24), 192, cbc(8), new PfKey(3, 8, 192, 192)),
            cipher("cbc(cast5)", KeyLengths.between(5, 16), 128, cbc(8), new PfKey(6, 8, 40, 128)),
            cipher("cbc(blowfish)", KeyLengths.between(4, 56), 128, cbc(8), new PfKey(7, 8, 40, 448)),
            cipher("cbc(aes)", AES, 128, cbc(16), new PfKey(12, 8, 128, 256)),
            cipher("cbc(serpent)", KeyLengths.between(0, 32), 128, cbc(16), new PfKey(252, 8, 128, 256)),
            cipher("cbc(camellia)", AES, 128, cbc(16), new PfKey(22, 8, 128, 256)),
            cipher("cbc(aria)", AES, 128, cbc(16), null),
            ctr("rfc3686(ctr(aria))", null),
            cipher("cbc(twofish)", AES, 128, cbc(16), new PfKey(253, 8, 128, 256)),
            ctr("rfc3686(ctr(aes))", new PfKey(13, 8, 160, 288)),
            cipher("cbc(sm4)", KeyLengths.exactly(16), 128, cbc(16), new PfKey(24, 16, 128, 256)),
            compression("deflate", 2, true),
            compression("lzs", 3, false),
            compression("lzjh", 4, false));

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
        return available(AEAD)
                .filter(entry -> entry.matches(name) && entry.shape().icvBits() == icvBits)
                .findFirst();
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

    private static AlgorithmEntry gcm(int icvBits, int algId) {
        Shape shape = new Shape(icvBits, 128, 1, 8, 4);
        return aead("rfc4106(gcm(aes))", KeyLengths.aesWithSalt(4), shape, new PfKey(algId, 8, 128, 256));
    }

    private static AlgorithmEntry ccm(int icvBits, int algId) {
        Shape shape = new Shape(icvBits, 128, 1, 8, 3);
        return aead("rfc4309(ccm(aes))", KeyLengths.aesWithSalt(3), shape, new PfKey(algId, 8, 128, 256));
    }

    private static AlgorithmEntry aead(String name, KeyLengths keys, Shape shape, PfKey pfKey) {
        return new AlgorithmEntry(AEAD, name, null, keys, 0, shape, pfKey, true);
    }

    private static AlgorithmEntry hmac(String digest, Shape shape, PfKey pfKey) {
        return auth("hmac(" + digest + ")", digest, KeyLengths.ANY, shape, pfKey);
    }

    private static AlgorithmEntry auth(String name, String alias, KeyLengths keys, Shape shape, PfKey pfKey) {
        return new AlgorithmEntry(AUTH, name, alias, keys, 0, shape, pfKey, true);
    }

    private static AlgorithmEntry cipher(String name, KeyLengths keys, int defaultKeyBits, Shape shape, PfKey pfKey) {
        String alias = name.substring(name.indexOf('(') + 1, name.length() - 1);
        return new AlgorithmEntry(CIPHER, name, alias, keys, defaultKeyBits, shape, pfKey, true);
    }

    private static AlgorithmEntry ctr(String name, PfKey pfKey) {
        return new AlgorithmEntry(
                CIPHER, name, null, KeyLengths.aesWithSalt(4), 160, new Shape(0, 0, 1, 8, 4), pfKey, true);
    }

    /** As in the kernel, which lists three and has code for deflate alone. */
    private static AlgorithmEntry compression(String name, int algId, boolean available) {
        return new AlgorithmEntry(
                COMPRESSION, name, null, KeyLengths.ANY, 0, block(1, 0), new PfKey(algId, 0, 0, 0), available);
    }

    private static PfKey pfKeyAuth(int algId, int keyBits) {
        return new PfKey(algId, 0, keyBits, keyBits);
    }

    private static Shape icv(int icvBits, int icvFullBits) {
        return new Shape(icvBits, icvFullBits, 1, 0, 0);
    }

    private static Shape cbc(int blockBytes) {
        return block(blockBytes, blockBytes);
    }

    private static Shape block(int blockBytes, int ivBytes) {
        return new Shape(0, 0, blockBytes, ivBytes, 0);
    }
}
