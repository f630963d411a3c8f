package org.xfrmbridge.esp;

import java.security.SecureRandom;

/** Where explicit IVs come from. Used by the one thread that seals; draws nothing before the first IV. */
@FunctionalInterface
interface IvSource {
    /** Randomness for IVs of every SA, made with the first IV of the first one. */
    SecureRandom RANDOM = new SecureRandom();

    /** Writes the next IV at this place. */
    void next(byte[] data, int offset);

    /** Of algorithms whose packets have none. */
    static IvSource none() {
        return (data, offset) -> {};
    }
}
