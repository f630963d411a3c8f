package org.xfrmbridge.esp;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * One row of {@link AlgorithmTable}: the kernel's {@code struct xfrm_algo_desc}, what the crypto behind it demands, and
 * that crypto.
 *
 * @param name the name the kernel reports in dumps, for example {@code hmac(sha256)}
 * @param alias the short name it also accepts, {@code sha256}, or null
 * @param keys key lengths accepted, salt included
 * @param lengths what it adds to a packet
 * @param iv where a sender gets the explicit IV of each packet
 * @param pfKey how PF_KEY announces it, or null where PF_KEY does not know it
 * @param engine null if it is known and there is no code for it
 */
public record AlgorithmEntry(
        AlgorithmKind kind,
        String name,
        String alias,
        KeyLengths keys,
        Lengths lengths,
        Supplier<IvSource> iv,
        PfKey pfKey,
        AlgorithmEngine engine) {

    /**
     * @param icvBits {@code icv_truncbits}: the ICV length an SA gets that names none; of an AEAD its only one
     * @param icvFullBits {@code icv_fullbits}: the longest ICV an SA may ask for
     * @param blockBytes unit the ciphertext is a multiple of, 1 for stream modes
     * @param ivBytes explicit IV in each packet
     * @param saltBytes key bytes at the end that become part of the nonce
     */
    public record Lengths(int icvBits, int icvFullBits, int blockBytes, int ivBytes, int saltBytes) {}

    /** {@code struct sadb_alg}: the kernel's numbers, also where they differ from what the crypto accepts. */
    public record PfKey(int algId, int ivLen, int minBits, int maxBits) {}

    /** Whether this program can run it; the kernel answers ENOSYS for a listed algorithm it has no code for. */
    public boolean available() {
        return engine != null;
    }

    /** By name or alias. */
    public boolean matches(String wanted) {
        return name.equals(wanted) || wanted.equals(alias);
    }

    /** Of an AEAD, which goes by its full name and ICV length. */
    boolean matches(String wanted, int icvBits) {
        return lengths.icvBits == icvBits && name.equals(wanted);
    }

    public boolean pfKeySupported() {
        return pfKey != null;
    }

    /**
     * Why the kernel would not set up an SA with these lengths, in words fit for an extended ACK; it answers EINVAL.
     * Stricter in one case: an ICV of less than a byte, which the kernel takes for none.
     *
     * @param keyBits {@code alg_key_len}
     * @param icvBits {@code alg_icv_len} of an AEAD, {@code alg_trunc_len} of an AUTH (0 stands for the default), else
     *     ignored
     */
    public Optional<String> refusal(int keyBits, int icvBits) {
        if (!keys.accepts(keyBits)) {
            return Optional.of("key length does not fit " + name);
        }
        if (kind == AlgorithmKind.AEAD && icvBits != lengths.icvBits) {
            return Optional.of("ICV length does not fit " + name);
        }
        if (kind == AlgorithmKind.AUTH && (icvBits < 0 || icvBits > lengths.icvFullBits)) {
            return Optional.of("truncation length is longer than the digest of " + name);
        }
        if (kind == AlgorithmKind.AUTH && icvBits > 0 && icvBits < 8) {
            return Optional.of("truncation length leaves nothing of " + name);
        }
        return Optional.empty();
    }
}
