package org.xfrmbridge.esp;

/**
 * The algorithms and keys of one ESP SA, from which its transforms are made. Made when the SA is installed or meets its
 * first packet; cheap, as nothing is computed from the keys before a transform meets one.
 */
public final class EspSuite implements Suite {
    private static final KeyedAlgorithm NO_MAC = new KeyedAlgorithm(
            AlgorithmTable.find(AlgorithmKind.AUTH, "digest_null").orElseThrow(), KeyMaterial.NONE);

    final KeyedAlgorithm cipher;
    /** Null with a combined mode. */
    final KeyedAlgorithm auth;

    private final EspLengths sizes;

    private EspSuite(KeyedAlgorithm cipher, KeyedAlgorithm auth, int icvBytes) {
        this.cipher = cipher;
        this.auth = auth;
        AlgorithmEntry.Lengths lengths = cipher.algorithm().lengths();
        sizes = new EspLengths(lengths.ivBytes(), lengths.blockBytes(), icvBytes);
    }

    /** @throws IllegalArgumentException where the kernel answers EINVAL */
    public static EspSuite aead(KeyedAlgorithm aead) {
        aead.require(AlgorithmKind.AEAD, aead.algorithm().lengths().icvBits());
        return new EspSuite(aead, null, aead.icvBytes(0));
    }

    /**
     * @param icvBits length of the ICV on the wire, rounded down to whole bytes as the kernel does; 0 stands for the
     *     MAC's default
     * @throws IllegalArgumentException where the kernel answers EINVAL
     */
    public static EspSuite encryptThenMac(KeyedAlgorithm cipher, KeyedAlgorithm auth, int icvBits) {
        cipher.require(AlgorithmKind.CIPHER, 0);
        auth.require(AlgorithmKind.AUTH, icvBits);
        return new EspSuite(cipher, auth, auth.icvBytes(icvBits));
    }

    /** Encryption without integrity, which the kernel allows and RFC 8221 forbids. */
    public static EspSuite encryptOnly(KeyedAlgorithm cipher) {
        return encryptThenMac(cipher, NO_MAC, 0);
    }

    public EspLengths sizes() {
        return sizes;
    }

    /**
     * @param spi as a number: 0x12345678 goes out as 12 34 56 78
     * @throws IllegalArgumentException where the kernel answers EINVAL: extended numbers want no ICV or one of at least
     *     4 bytes
     */
    public EspTransform transform(int spi, SequenceWidth width) {
        return transform(spi, width, cipher.algorithm().iv().get());
    }

    EspTransform transform(int spi, SequenceWidth width, IvSource ivSource) {
        if (width == SequenceWidth.EXTENDED && sizes.icvBytes() > 0 && sizes.icvBytes() < 4) {
            throw new IllegalArgumentException(
                    "an ICV of " + sizes.icvBytes() + " bytes cannot carry extended sequence numbers");
        }
        return auth == null
                ? new AeadEsp(this, spi, width, ivSource)
                : new EncryptThenMacEsp(this, spi, width, ivSource);
    }
}
