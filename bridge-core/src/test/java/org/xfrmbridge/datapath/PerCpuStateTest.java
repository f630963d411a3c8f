package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.io.MemoryPort;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.KeyManager;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.stack.XfrmStack;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** RFC 9611 with two outbound threads, which are CPUs 0 and 1: what comes by a queue is sent by the thread of it. */
class PerCpuStateTest {
    private static final String LEFT = "192.0.2.1";
    private static final String RIGHT = "192.0.2.2";
    private static final int FOR_ALL = StateSpec.ABSENT;
    private static final int PAYLOAD = Ethernet.HEADER_BYTES + Ipv4.HEADER_BYTES;

    private final ManualClock clock = new ManualClock();
    private final MemoryPort[] queue0 = MemoryPort.wire();
    private final MemoryPort[] queue1 = MemoryPort.wire();
    private final MemoryPort[] wire = MemoryPort.wire();
    private final XfrmStack stack = stack();
    private final XfrmEngine engine = stack.engine();
    private final List<Integer> asked = new ArrayList<>();
    private int lastSequence;

    private XfrmStack stack() {
        Databases databases = new Databases();
        return new XfrmStack(
                XfrmEngine.builder(databases, clock).random(new Random(1)),
                PathContext.builder(databases, new StaticNetwork(), clock),
                List.of(queue0[1], queue1[1]),
                List.of(wire[1]));
    }

    PerCpuStateTest() {
        engine.register(new KeyManager() {
            @Override
            public boolean acquire(Acquire acquire) {
                asked.add(acquire.larval().spec().pcpu());
                lastSequence = acquire.larval().spec().seq();
                return true;
            }
        });
    }

    private void policy(int flags, Template... templates) throws XfrmException {
        PolicySpec spec = PolicySpec.builder()
                .selector(Sas.between("10.1.0.0/16", "10.2.0.0/16"))
                .flags(flags)
                .templates(List.of(templates))
                .build();
        engine.addPolicy(spec, true, Origin.KERNEL);
    }

    private static Template esp() {
        return Sas.template(Mode.TUNNEL, LEFT, RIGHT);
    }

    private void state(int spi, int cpu) throws XfrmException {
        add(Sas.spec(Mode.TUNNEL, LEFT, RIGHT, spi), cpu);
    }

    private void add(StateSpecBuilder spec, int cpu) throws XfrmException {
        spec.replayWindow(0).direction(StateSpec.DIRECTION_OUT).pcpu(cpu);
        engine.addState(RandomEntries.complete(spec).build(), Origin.KERNEL);
    }

    private void delete(int spi) throws XfrmException {
        StateId id = new StateId(Address.parse(RIGHT), spi, IpProtocol.ESP);
        engine.deleteState(new StateKey(id, AddressFamily.INET, Mark.NONE, null), Origin.KERNEL);
    }

    /** Of a flow of its own for each queue; returns what goes behind the outer IP header. */
    private byte[] send(int queue) {
        (queue == 0 ? queue0[0] : queue1[0])
                .send(Frames.udp("10.1.0." + queue, "10.2.0.1").frame());
        while (stack.outbound().stream().mapToInt(Outbound::doWork).sum() > 0) {}
        engine.drainEvents();
        List<byte[]> sent = wire[0].drain();
        assertEquals(1, sent.size(), () -> stack.stats().toProcText());
        byte[] frame = sent.getFirst();
        byte[] content = new byte[frame.length - PAYLOAD];
        System.arraycopy(frame, PAYLOAD, content, 0, content.length);
        return content;
    }

    private int spi(int queue) {
        return Bytes.i32(send(queue), 0);
    }

    private long handedOver() {
        return stack.stats().outbound(Metric.HANDED_OVER);
    }

    private List<Integer> waitingFor() {
        List<Integer> cpus = new ArrayList<>();
        Dump<State> larvals = engine.states(state -> state.phase() == State.Phase.ACQUIRING);
        for (State state = larvals.next(); state != null; state = larvals.next()) {
            cpus.add(state.spec().pcpu());
        }
        return cpus;
    }

    @Test
    void shouldSendThroughTheStateOfTheThread() throws XfrmException {
        policy(0, esp());
        state(0x100, FOR_ALL);
        assertEquals(0x100, spi(1));
        assertEquals(0x100, spi(0));
        assertEquals(1, handedOver());

        state(0x110, 0);
        state(0x111, 1);
        assertEquals(0x110, spi(0));
        assertEquals(0x111, spi(1));
        assertEquals(1, handedOver());

        state(0x200, FOR_ALL);
        assertEquals(0x110, spi(0));
        delete(0x110);
        assertEquals(0x200, spi(0));
        assertEquals(0x111, spi(1));
        assertEquals(List.of(), asked);
    }

    @Test
    void shouldAskForTheStateOfEachThreadAndGoOnThroughTheOneForAll() throws XfrmException {
        policy(PolicySpec.CPU_ACQUIRE, esp());
        state(0x100, FOR_ALL);
        for (int i = 0; i < 3; i++) {
            assertEquals(0x100, spi(1));
        }
        assertEquals(List.of(1), asked);
        int sequence = lastSequence;
        assertEquals(0x100, spi(0));
        assertEquals(List.of(1, 0), asked);
        assertNotEquals(0, handedOver());

        add(Sas.spec(Mode.TUNNEL, LEFT, RIGHT, 0x111).seq(sequence), 1);
        assertEquals(List.of(0), waitingFor());
        long before = handedOver();
        assertEquals(0x111, spi(1));
        assertEquals(before, handedOver());
        assertEquals(0x100, spi(0));
        assertEquals(List.of(1, 0), asked);

        delete(0x111);
        assertEquals(0x100, spi(1));
        assertEquals(List.of(1, 0, 1), asked);
    }

    @Test
    void shouldAskAgainWhenNobodyHasAnswered() throws XfrmException {
        policy(PolicySpec.CPU_ACQUIRE, esp());
        state(0x100, FOR_ALL);
        assertEquals(0x100, spi(0));
        clock.advanceSeconds(engine.acquireExpireSeconds());
        engine.runTimers();
        assertEquals(0x100, spi(0));
        assertEquals(List.of(0, 0), asked);
    }

    @Test
    void shouldAskForTheStateForAllFirst() throws XfrmException {
        policy(PolicySpec.CPU_ACQUIRE, esp());
        queue1[0].send(Frames.udp("10.1.0.1", "10.2.0.1").frame());
        while (stack.outbound().stream().mapToInt(Outbound::doWork).sum() > 0) {}
        engine.drainEvents();
        assertEquals(List.of(FOR_ALL), asked);
        assertEquals(1, stack.stats().drops(DropReason.OUT_NO_STATES));
    }

    /** States that are used together are all the first thread's, which sends as the CPU that the packet came to. */
    @Test
    void shouldSendThroughTheStateOfTheThreadInABundleToo() throws XfrmException {
        policy(0, esp(), Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, LEFT, RIGHT, 99, false)));
        state(0x110, 0);
        state(0x111, 1);
        StateSpecBuilder ah = Sas.spec(Mode.TRANSPORT, LEFT, RIGHT, 0x99).reqid(99);
        add(ah.id(new StateId(ah.id().daddr(), 0x99, IpProtocol.AH)), FOR_ALL);
        for (int queue : new int[] {0, 1, 1, 0}) {
            byte[] content = send(queue);
            assertEquals(0x99, Bytes.i32(content, 4));
            assertEquals(0x110 + queue, Bytes.i32(content, 4 * (content[1] + 2)), "queue " + queue);
        }
        assertEquals(2, handedOver());
    }
}
