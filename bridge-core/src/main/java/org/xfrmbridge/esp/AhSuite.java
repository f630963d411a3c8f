package org.xfrmbridge.esp;

/** The MAC and key of one AH SA, from which its transforms are made (RFC 4302). */
public final class AhSuite implements Suite {
    private final KeyedAlgorithm auth;
    private final int icvBytes;

    /**
     * @param icvBits length of the ICV on the wire, rounded down to whole bytes as the kernel does; 0 stands for the
     *     MAC's default
     * @throws IllegalArgumentException where the kernel answers EINVAL
     */
    public AhSuite(KeyedAlgorithm auth, int icvBits) {
        auth.require(AlgorithmKind.AUTH, icvBits);
        this.auth = auth;
        icvBytes = auth.icvBytes(icvBits);
    }

    /** Bytes of the MAC that are sent and compared. */
    public int icvBytes() {
        return icvBytes;
    }

    /** Bytes of the whole MAC: a receiver also takes a header with room for so many. */
    public int fullIcvBytes() {
        return auth.algorithm().lengths().icvFullBits() / Byte.SIZE;
    }

    public AhTransform transform(SequenceWidth width) {
        return new AhTransform(auth, icvBytes, width);
    }
}
