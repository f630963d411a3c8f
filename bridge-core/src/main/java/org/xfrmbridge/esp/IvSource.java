package org.xfrmbridge.esp;

import java.security.SecureRandom;

/** Where explicit IVs come from. Used by the one thread that seals; draws nothing before the first IV. */
@FunctionalInterface
interface IvSource {
    /** Writes the next IV at this place. */
    void next(byte[] data, int offset);

    /** Randomness for IVs of every SA, seeded by the first packet of the first one. */
    final class Random {
        static final SecureRandom SECURE = new SecureRandom();

        private Random() {}
    }
}
