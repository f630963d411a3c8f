package org.xfrmbridge.db;

import java.util.random.RandomGenerator;
import org.xfrmbridge.xfrm.StateSpec;

/** Picks Spis nobody has, {@code xfrm_alloc_spi}. Control thread only. */
public final class SpiAllocator {
    private static final int RANDOM_TRIES = 32;

    private final Sad sad;
    private final RandomGenerator random;

    public SpiAllocator(Sad sad, RandomGenerator random) {
        this.sad = sad;
        this.random = random;
    }

    /**
     * A Spi between both, inclusive and unsigned, that is free for the spec's destination, protocol, family and mark; 0, which no State
     * has, if all are taken. A kernel may give up on a range that is nearly full; here a free one is found if there is one.
     */
    public int allocate(StateSpec spec, int minSpi, int maxSpi) {
        long low = Integer.toUnsignedLong(minSpi);
        long count = Integer.toUnsignedLong(maxSpi) - low + 1;
        if (count <= 0) {
            return 0;
        }
        for (int i = 0; i < RANDOM_TRIES && count > 1; i++) {
            int spi = (int) (low + random.nextLong(count));
            if (isFree(spec, spi)) {
                return spi;
            }
        }
        long start = random.nextLong(count);
        for (long i = 0; i < count; i++) {
            int spi = (int) (low + (start + i) % count);
            if (isFree(spec, spi)) {
                return spi;
            }
        }
        return 0;
    }

    private boolean isFree(StateSpec spec, int spi) {
        int mark = spec.mark().value() & spec.mark().mask();
        long daddrHigh = spec.id().daddr().high();
        long daddrLow = spec.id().daddr().low();
        return spi != 0 && sad.lookup(daddrHigh, daddrLow, spi, spec.id().protocol(), spec.family(), mark) == null;
    }
}
