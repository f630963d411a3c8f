package org.xfrmbridge.db;

import java.util.random.RandomGenerator;

/**
 * Picks Spis nobody has, {@code xfrm_alloc_spi}: free of every State of the protocol, whatever its destination, family
 * and mark, as Linux has it since 6.17. Control thread only.
 */
public final class SpiAllocator {
    private static final int RANDOM_TRIES = 32;

    private final Sad sad;
    private final RandomGenerator random;

    /** Where the last range that was nearly full was left: the Spis before were not free then. */
    private Search last = new Search(0, 0, 0, 0, 0);

    /**
     * @param tried how many from {@code start} on, cyclically, have been found in use since so many Spis had been given
     *     back
     */
    private record Search(int protocol, long low, long count, long start, long tried) {
        boolean isOf(int otherProtocol, long otherLow, long otherCount) {
            return protocol == otherProtocol && low == otherLow && count == otherCount;
        }
    }

    private int freedThen;

    public SpiAllocator(Sad sad, RandomGenerator random) {
        this.sad = sad;
        this.random = random;
    }

    /**
     * A Spi between both, inclusive and unsigned, that is free; 0, which no State has, if all are taken. A kernel may
     * give up on a range that is nearly full; here a free one is found if there is one.
     */
    public int allocate(int protocol, int minSpi, int maxSpi) {
        long low = Math.max(1, Integer.toUnsignedLong(minSpi));
        long count = Integer.toUnsignedLong(maxSpi) - low + 1;
        if (count <= 0) {
            return 0;
        }
        for (int i = 0; i < RANDOM_TRIES && count > 1; i++) {
            int spi = (int) (low + random.nextLong(count));
            if (!sad.hasSpi(spi, protocol)) {
                return spi;
            }
        }
        return search(protocol, low, count);
    }

    /**
     * All in turn; goes on where it was left as long as none was given back, so that filling a range takes one round.
     */
    private int search(int protocol, long low, long count) {
        boolean goesOn = last.isOf(protocol, low, count) && freedThen == sad.freedSpis();
        long start = goesOn ? last.start : count == 1 ? 0 : random.nextLong(count);
        long tried = goesOn ? last.tried : 0;
        freedThen = sad.freedSpis();
        while (tried < count) {
            int spi = (int) (low + (start + tried) % count);
            if (!sad.hasSpi(spi, protocol)) {
                last = new Search(protocol, low, count, start, tried);
                return spi;
            }
            tried++;
        }
        last = new Search(protocol, low, count, start, tried);
        return 0;
    }
}
