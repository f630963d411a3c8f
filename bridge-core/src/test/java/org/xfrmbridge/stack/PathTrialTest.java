package org.xfrmbridge.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.time.ManualClock;

class PathTrialTest {
    @ParameterizedTest
    @EnumSource
    void shouldBringAllPacketsThrough(Placement placement) {
        assertEquals(3, PathTrial.run(new ManualClock(), placement, 3));
    }
}
