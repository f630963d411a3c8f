package org.xfrmbridge.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.MemoryPort;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Direction;

class XfrmStackTest {
    private static XfrmStack stack(Placement placement) {
        Databases databases = new Databases();
        ManualClock clock = new ManualClock();
        return new XfrmStack(
                XfrmEngine.builder(databases, clock).random(new SplittableRandom(1)),
                PathContext.builder(databases, new StaticNetwork(), clock).placement(placement),
                MemoryPort.wire()[0],
                MemoryPort.wire()[0]);
    }

    @Test
    void shouldJudgeClearPacketsInTheHostsStackAlone() {
        assertNull(stack(Placement.IN_WIRE).clearPath());
        XfrmStack inStack = stack(Placement.IN_STACK);
        assertNotNull(inStack.clearPath());
        assertEquals(DropReason.IN_HDR_ERROR, inStack.clearPath().judge(Direction.IN, new PacketBuffer()));
        assertEquals(1, inStack.stats().drops(DropReason.IN_HDR_ERROR));
    }
}
