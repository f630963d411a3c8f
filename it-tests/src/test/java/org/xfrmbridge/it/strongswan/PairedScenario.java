package org.xfrmbridge.it.strongswan;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;

/**
 * A scenario class whose tests share one {@link Pair}, started before the first and ended, and judged, after the last.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.CHARON,
    Requirement.BRIDGE
})
abstract class PairedScenario {
    private Pair pair;

    /** Starts the pair of this class. */
    abstract Pair start();

    Pair pair() {
        return pair;
    }

    @BeforeAll
    void startPair() {
        pair = start();
    }

    @AfterAll
    void endPair() {
        if (pair != null) {
            pair.close();
        }
    }
}
