package org.xfrmbridge.xfrm;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LifetimeTest {
    /** As a kernel: see {@link Lifetime#isHardReached}. */
    @Test
    void shouldReachEvenNoLimitWithTheLargestCount() {
        assertTrue(Lifetime.UNLIMITED.isHardReached(new Usage(-1, 0, 1, 1)));
        assertTrue(Lifetime.UNLIMITED.isSoftReached(new Usage(0, -1, 1, 1)));
        assertFalse(Lifetime.UNLIMITED.isHardReached(new Usage(-2, -2, 1, 1)));
    }
}
