package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.datapath.Inbound;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.km.XfrmEngine;

class FaultLogTest {
    private final XfrmStats stats = new XfrmStats();
    private final List<String> lines = new ArrayList<>();
    private final Logger logger = proxy(Logger.class, arguments -> lines.add(Arrays.deepToString(arguments)));
    private final FaultLog log = new FaultLog(stats, logger);
    private final Outbound outbound;
    private final Inbound inbound;

    FaultLogTest() {
        PacketPort broken = proxy(PacketPort.class, arguments -> {
            throw new StackOverflowError("no more");
        });
        PathContext context =
                PathContext.builder(new Databases(), null, new SystemClock()).build(null);
        outbound = new Outbound(context, stats, broken, broken);
        inbound = new Inbound(context, stats, broken, broken);
    }

    private interface Call {
        void with(Object[] arguments);
    }

    private static <T> T proxy(Class<T> type, Call call) {
        Class<?>[] types = {type};
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), types, (proxy, method, arguments) -> {
            call.with(arguments);
            return null;
        }));
    }

    @Test
    void shouldTellOnceOfAllFaultsOfADirectionSinceTheLastTime() {
        log.flush();
        assertEquals(List.of(), lines);
        for (int i = 0; i < 1000; i++) {
            outbound.doWork();
        }
        log.flush();
        assertEquals(1, lines.size());
        assertTrue(lines.getFirst().contains("1000, outbound, java.lang.StackOverflowError: no more"), lines::getFirst);
        log.flush();
        assertEquals(1, lines.size());
        outbound.doWork();
        inbound.doWork();
        inbound.doWork();
        log.flush();
        assertEquals(3, lines.size());
        assertTrue(lines.get(1).contains("1, outbound") && lines.get(2).contains("2, inbound"), lines::toString);
    }

    @Test
    void shouldBeSeenInStatButNotWhereAKernelCounts() throws Exception {
        outbound.doWork();
        XfrmEngine engine =
                XfrmEngine.builder(new Databases(), new SystemClock()).build();
        Statistics statistics = new Statistics("here", () -> "none", engine, stats, new SystemClock());
        assertTrue(statistics.toText().matches("(?s).*\nBridgeFault +1\n.*"), statistics::toText);
        assertTrue(statistics.toJson().contains("\"BridgeFault\": 1"), statistics::toJson);
        assertTrue(!statistics.toProcText().contains("Fault"), statistics::toProcText);
    }
}
