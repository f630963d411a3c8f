package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.MemoryPort;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;

/** A turn in which ports, clock or States fail: it is counted, costs what was in hand, and is nothing to the next. */
class PortFaultTest {
    private final MemoryPort[] from = MemoryPort.wire();
    private final MemoryPort[] to = MemoryPort.wire();
    private final FaultyPort source = new FaultyPort(from[1]);
    private final FaultyPort sink = new FaultyPort(to[0]);
    private final XfrmStats stats = new XfrmStats();
    private final ManualClock clock = new ManualClock();
    private boolean clockFails;
    private IntSupplier turn;
    private Outbound outbound;
    private Inbound inbound;

    private void start(FaultTest.Way way) {
        StaticNetwork network = new StaticNetwork().addLocal("10.1.0.1").addLocal("10.2.0.1");
        PathContext context =
                PathContext.builder(new Databases(), network, new FaultyClock()).build(new TestHost());
        outbound = new Outbound(context, stats, source, sink);
        inbound = new Inbound(context, stats, source, sink);
        turn = way == FaultTest.Way.OUT ? outbound::doWork : inbound::doWork;
    }

    private final class FaultyClock implements Clock {
        @Override
        public long nowNs() {
            if (clockFails) {
                throw new IllegalStateException("a fault");
            }
            return clock.nowNs();
        }

        @Override
        public long epochSeconds() {
            return clock.epochSeconds();
        }
    }

    private static byte[] frame(int bytes) {
        return Frames.udp("10.1.0.1", "10.2.0.1").bytes(bytes).inbound().frame();
    }

    private void assertPasses(int bytes, long faults) {
        from[0].send(frame(bytes));
        assertEquals(1, turn.getAsInt());
        List<byte[]> passed = to[1].drain();
        assertEquals(1, passed.size());
        assertArrayEquals(frame(bytes), passed.getFirst());
        assertEquals(faults, stats.drops(DropReason.FAULT));
        assertEquals(0, turn.getAsInt());
        assertEquals(0, to[1].drain().size());
    }

    @Test
    void shouldHaveItsPortsOpenWhatItSendsByBeforeAPacketComes() {
        start(FaultTest.Way.OUT);
        outbound.prepare();
        assertEquals(1, sink.sends());
        assertEquals(0, source.sends());
        assertEquals(0, to[1].drain().size());
        inbound.prepare();
        assertEquals(2, sink.sends());
        assertEquals(0, source.sends());
        assertEquals(0, to[1].drain().size());
    }

    @Test
    void shouldGoOnWhenThatFailsAndCountItWithTheFirstPacket() {
        start(FaultTest.Way.OUT);
        sink.failNextSend();
        outbound.prepare();
        assertPasses(10, 0);
    }

    @ParameterizedTest
    @EnumSource(FaultTest.Way.class)
    void shouldNotSendAgainWhatAPortFailedToSend(FaultTest.Way way) {
        start(way);
        sink.failNextSend();
        from[0].send(frame(10));
        assertEquals(1, turn.getAsInt());
        assertEquals(0, to[1].drain().size());
        assertPasses(20, 1);
    }

    @ParameterizedTest
    @EnumSource(FaultTest.Way.class)
    void shouldHandleWhatAPortReceivedBeforeItFailed(FaultTest.Way way) {
        start(way);
        source.failNextReceive();
        assertPasses(10, 1);
        assertPasses(20, 1);
    }

    @ParameterizedTest
    @EnumSource(FaultTest.Way.class)
    void shouldForgetTheBatchWhenAWholeTurnFails(FaultTest.Way way) {
        start(way);
        clockFails = true;
        from[0].send(frame(10));
        turn.getAsInt();
        clockFails = false;
        assertPasses(20, 1);
    }

    @Test
    void shouldGoOnWhenAStateCannotBeWiped() {
        start(FaultTest.Way.OUT);
        State broken = Sas.larval(Sas.spec(Mode.TUNNEL, "10.1.0.1", "10.2.0.1", 1));
        broken.setOutbound(() -> {
            throw new IllegalStateException("a fault");
        });
        outbound.forget(broken);
        assertEquals(0, turn.getAsInt());
        assertPasses(10, 1);
    }
}
