package org.xfrmbridge.esp;

import java.util.function.Function;

/** The MAC and key of one AH SA, from which its transforms are made (RFC 4302). */
public final class AhSuite implements Suite {
    private final KeyMaterial key;
    private final Function<byte[], PacketMac> mac;
    private final int icvBytes;
    private final int fullIcvBytes;

    /**
     * @param key stays the caller's, who wipes it when the SA dies
     * @param icvBits length of the ICV on the wire, rounded down to whole bytes as the kernel does; 0 stands for the
     *     MAC's default
     * @throws IllegalArgumentException where the kernel answers EINVAL
     */
    public AhSuite(AlgorithmEntry auth, KeyMaterial key, int icvBits) {
        auth.reject(key.lengthBytes() * 8, icvBits).ifPresent(reason -> {
            throw new IllegalArgumentException(reason);
        });
        this.key = key;
        mac = EspSuite.mac(auth.name());
        icvBytes = (icvBits == 0 ? auth.shape().icvBits() : icvBits) / 8;
        fullIcvBytes = auth.shape().icvFullBits() / 8;
    }

    /** Bytes of the MAC that are sent and compared. */
    public int icvBytes() {
        return icvBytes;
    }

    /** Bytes of the whole MAC: a receiver also takes a header with room for so many. */
    public int fullIcvBytes() {
        return fullIcvBytes;
    }

    public AhTransform transform(SequenceWidth width) {
        return new AhTransform(() -> mac.apply(key.copy()), icvBytes, width);
    }
}
