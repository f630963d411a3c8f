package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.time.ManualClock;

class DropLogTest {
    private final XfrmStats stats = new XfrmStats();
    private final ManualClock clock = new ManualClock();
    private final LinesOfLog written = new LinesOfLog();
    private final DropLog log = new DropLog(stats, clock, written.logger);

    /** Each turn is a fault of the program, which is a reason like others. */
    private final Outbound outbound;

    DropLogTest() {
        PacketPort broken = (PacketPort) Proxy.newProxyInstance(
                PacketPort.class.getClassLoader(), new Class<?>[] {PacketPort.class}, (proxy, method, arguments) -> {
                    throw new IllegalStateException();
                });
        outbound =
                new Outbound(PathContext.builder(new Databases(), null, clock).build(null), stats, broken, broken);
    }

    private void drop(int packets) {
        for (int i = 0; i < packets; i++) {
            outbound.doWork();
        }
    }

    @Test
    void shouldTellAtOnceAndThenOnceAMinute() {
        log.flush();
        assertEquals(List.of(), written.lines);
        drop(3);
        log.flush();
        for (int i = 0; i < 6; i++) {
            drop(1000);
            clock.advanceSeconds(9);
            log.flush();
        }
        assertEquals(1, written.lines.size(), written.lines.toString());
        clock.advanceSeconds(9);
        log.flush();
        clock.advanceSeconds(600);
        log.flush();
        assertEquals(
                List.of(
                        "3 packets dropped, BridgeFault: see \"xfrm-bridge drops\"",
                        "6000 packets dropped, BridgeFault: see \"xfrm-bridge drops\""),
                written.lines);
    }
}
