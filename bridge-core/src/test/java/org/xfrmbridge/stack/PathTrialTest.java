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
        assertEquals(3, PathTrial.overIp(new ManualClock(), placement).send(3));
        assertEquals(3, PathTrial.inUdp(new ManualClock(), placement).send(3));
    }
}
