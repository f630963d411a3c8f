package org.xfrmbridge.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.time.ManualClock;

class PathTrialTest {
    @ParameterizedTest
    @EnumSource
    void shouldBringAllPacketsThrough(Placement placement) {
        for (PathTrial trial : List.of(
                PathTrial.overIp(new ManualClock(), placement), PathTrial.inUdp(new ManualClock(), placement))) {
            assertEquals(3, trial.sendEchoes(3));
            assertEquals(3, trial.sendSegments(3));
        }
    }
}
