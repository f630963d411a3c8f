package org.xfrmbridge.esp;

import java.util.Optional;

/**
 * One line of the kernel's algorithm table, {@code struct xfrm_algo_desc}, with what the crypto behind it demands.
 *
 * @param name the name the kernel reports in dumps, for example {@code hmac(sha256)}
 * @param alias the short name it also accepts, {@code sha256}, or null
 * @param keys key lengths accepted, salt included
 * @param defaultKeyBits {@code defkeybits} of ciphers, 0 for the other kinds
 * @param shape the lengths that decide the form of a packet
 * @param pfKey how PF_KEY announces it, or null where PF_KEY does not know it
 * @param available whether this program can run it; the kernel answers ENOSYS for a listed algorithm it has no code for
 */
public record AlgorithmEntry(
        AlgorithmKind kind,
        String name,
        String alias,
        KeyLengths keys,
        int defaultKeyBits,
        Shape shape,
        PfKey pfKey,
        boolean available) {

    /**
     * @param icvBits {@code icv_truncbits}: the ICV length an SA gets that names none; of an AEAD its only one
     * @param icvFullBits {@code icv_fullbits}: the longest ICV an SA may ask for
     * @param blockBytes unit the ciphertext is a multiple of, 1 for stream modes
     * @param ivBytes explicit IV in each packet
     * @param saltBytes key bytes at the end that become part of the nonce
     */
    public record Shape(int icvBits, int icvFullBits, int blockBytes, int ivBytes, int saltBytes) {}

    /** {@code struct sadb_alg}: the kernel's numbers, also where they differ from what the crypto accepts. */
    public record PfKey(int algId, int ivLen, int minBits, int maxBits) {}

    public boolean matches(String wanted) {
        return name.equals(wanted) || (kind != AlgorithmKind.AEAD && wanted.equals(alias));
    }

    public boolean pfKeySupported() {
        return pfKey != null;
    }

    /**
     * Whether the kernel would set up an SA with these lengths; it answers EINVAL where not. Stricter in one case: an
     * ICV of less than a byte, which the kernel takes for none.
     *
     * @param keyBits {@code alg_key_len}
     * @param icvBits {@code alg_icv_len} of an AEAD, {@code alg_trunc_len} of an AUTH (0 stands for the default), else
     *     ignored
     */
    public boolean accepts(int keyBits, int icvBits) {
        return reject(keyBits, icvBits).isEmpty();
    }

    /** The reason {@link #accepts} says no, in our words, fit for an extended ACK. */
    public Optional<String> reject(int keyBits, int icvBits) {
        if (!keys.accepts(keyBits)) {
            return Optional.of("key length does not fit " + name);
        }
        if (kind == AlgorithmKind.AEAD && icvBits != shape.icvBits) {
            return Optional.of("ICV length does not fit " + name);
        }
        if (kind == AlgorithmKind.AUTH && (icvBits < 0 || icvBits > shape.icvFullBits)) {
            return Optional.of("truncation length is longer than the digest of " + name);
        }
        if (kind == AlgorithmKind.AUTH && icvBits > 0 && icvBits < 8) {
            return Optional.of("truncation length leaves nothing of " + name);
        }
        return Optional.empty();
    }
}
