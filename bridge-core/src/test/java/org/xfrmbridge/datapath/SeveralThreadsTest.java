package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Three threads for each direction, and a fourth that rekeys groups 0 to 3. Flows come to the threads in one way, and
 * belong to them by their SAs in another, so that most are handed over.
 *
 * <pre>
 *   flows 0 .. 23 -- queues -- a: three outbound threads == queues == b: three inbound threads -- what arrived
 * </pre>
 *
 * Flows of groups 0 to 3 have an SA for each group, those of group 4 ESP in AH, those of group 5 the same ESP alone. On
 * the wire the numbers of each SA come one after the other; what arrives is each flow whole and in order; counters add
 * up; the keys of what went are wiped.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class SeveralThreadsTest {
    private static final String A = "192.0.2.1";
    private static final String B = "192.0.2.2";
    private static final int THREADS = 3;
    private static final int GROUPS = 6;
    private static final int WITH_AH = 4;
    private static final int FLOWS = 4 * GROUPS;
    private static final int PACKETS = 4000;
    private static final int UNDER_WAY = 400;
    private static final ReplayState WINDOW = new ReplayState(0, 0, 0, 0, 1024, new int[32]);
    private static final int OUTER_PROTOCOL = Ethernet.HEADER_BYTES + 9;
    private static final int OUTER_PAYLOAD = Ethernet.HEADER_BYTES + 20;
    private static final int INNER_PAYLOAD = Ethernet.HEADER_BYTES + 20;

    private final TestHost a = new TestHost(1, A, "10.1.0.1");
    private final TestHost b = new TestHost(1, B, "10.2.0.1");
    private final List<Thread> running = new ArrayList<>();
    private final List<Port> ports = new ArrayList<>();
    private final Map<Integer, AtomicInteger> lastNumbers = new ConcurrentHashMap<>();
    private final int[] arrived = new int[FLOWS];
    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private final State[] sending = new State[GROUPS];
    private final Semaphore room = new Semaphore(UNDER_WAY);
    private int nextSpi = 1000 * GROUPS;

    /** One queue: several threads put in, one takes out. */
    private static final class Port implements PacketPort {
        private final Queue<byte[]> waiting = new ConcurrentLinkedQueue<>();
        private final Semaphore bell = new Semaphore(0);
        private final Consumer<byte[]> output;
        private volatile boolean closed;

        Port(Consumer<byte[]> output) {
            this.output = output;
        }

        void put(byte[] frame) {
            waiting.add(frame);
            bell.release();
        }

        @Override
        public void receive(PacketPool pool, PacketBatch into) {
            for (byte[] frame = waiting.poll(); frame != null; frame = into.size() < 64 ? waiting.poll() : null) {
                PacketBuffer packet = pool.take();
                packet.ensureCapacity(frame.length);
                System.arraycopy(frame, 0, packet.data, packet.offset, frame.length);
                packet.length = frame.length;
                into.add(packet);
            }
        }

        @Override
        public void send(PacketBatch batch) {
            for (int i = 0; i < batch.size(); i++) {
                PacketBuffer packet = batch.get(i);
                output.accept(Arrays.copyOfRange(packet.data, packet.offset, packet.offset + packet.length));
            }
        }

        @Override
        public boolean await(int timeoutMs) {
            try {
                if (waiting.isEmpty() && bell.tryAcquire(timeoutMs, TimeUnit.MILLISECONDS)) {
                    bell.drainPermits();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return !closed;
        }

        @Override
        public void wake() {
            bell.release();
        }

        @Override
        public void close() {
            closed = true;
            bell.release();
        }
    }

    private List<PacketPort> queues(Consumer<byte[]> output) {
        List<PacketPort> queues = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Port port = new Port(output);
            ports.add(port);
            queues.add(port);
        }
        return queues;
    }

    private void run(IntPredicate await, IntSupplier work) {
        running.add(Thread.ofPlatform().start(() -> {
            while (await.test(1000)) {
                while (work.getAsInt() > 0) {}
            }
        }));
    }

    private static Selector between(int group) {
        return Sas.between("10.1.0.0/16", "10.2." + group + ".0/24");
    }

    private static int espOf(int group) {
        return 10 + Math.min(group, WITH_AH);
    }

    private Policy[] policies() {
        Policy[] policies = new Policy[GROUPS];
        for (int group = 0; group < GROUPS; group++) {
            Template esp = Sas.template(Mode.TUNNEL, A, B, espOf(group), false);
            Template ah = Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, A, B, 99, false));
            Template[] templates = group == WITH_AH ? new Template[] {esp, ah} : new Template[] {esp};
            policies[group] = a.policy(Direction.OUT, between(group), templates);
            b.policy(Direction.IN, between(group), templates);
            b.policy(Direction.FWD, between(group), templates);
        }
        return policies;
    }

    private StateSpecBuilder spec(Mode mode, int reqid, int spi) {
        StateSpecBuilder spec = Sas.spec(mode, A, B, spi).reqid(reqid).replay(WINDOW);
        return mode == Mode.TRANSPORT ? spec.selector(Selector.any(0)) : spec;
    }

    /** The receiver first. The sender's old State goes when the new one is there. */
    private State rekey(int group) {
        int spi = nextSpi + group;
        nextSpi += GROUPS;
        b.sad.insert(Sas.state(spec(Mode.TUNNEL, espOf(group), spi)));
        State old = sending[group];
        sending[group] = Sas.state(spec(Mode.TUNNEL, espOf(group), spi));
        a.sad.insert(sending[group]);
        if (old != null) {
            a.sad.remove(old);
            old.wipeKeys();
        }
        return old;
    }

    private static byte[] frame(int flow, int number) {
        byte[] upper = new byte[60];
        Bytes.putI32(upper, 8, flow);
        Bytes.putI32(upper, 12, number);
        return Frames.udp("10.1.0." + (1 + flow), "10.2." + flow % GROUPS + ".1")
                .payload(IpProtocol.GRE, upper)
                .frame();
    }

    /** On the wire. Each SA's numbers come one after the other, as one thread at a time has it. */
    private void check(byte[] frame) {
        int at = OUTER_PAYLOAD;
        if (frame[OUTER_PROTOCOL] == IpProtocol.AH) {
            check(frame, at + 4);
            at += 4 * (frame[at + 1] + 2);
        }
        check(frame, at);
        MacAddress.write(frame, Ethernet.DESTINATION, StaticNetwork.HOST_MAC);
        MacAddress.write(frame, Ethernet.SOURCE, StaticNetwork.GATEWAY_MAC);
    }

    /** By which the other end receives: the same after rekeying. */
    private static int queue(byte[] frame) {
        boolean isAh = frame[OUTER_PROTOCOL] == IpProtocol.AH;
        return Math.floorMod(Bytes.i32(frame, OUTER_PAYLOAD + (isAh ? 4 : 0)), GROUPS) % THREADS;
    }

    private void check(byte[] frame, int spiAt) {
        int spi = Bytes.i32(frame, spiAt);
        int number = Bytes.i32(frame, spiAt + 4);
        int before =
                lastNumbers.computeIfAbsent(spi, any -> new AtomicInteger()).getAndSet(number);
        if (number != before + 1) {
            faults.add("SPI %x: %d after %d".formatted(spi, number, before));
        }
    }

    private void arrive(byte[] frame) {
        int flow = Bytes.i32(frame, INNER_PAYLOAD + 8);
        int number = Bytes.i32(frame, INNER_PAYLOAD + 12);
        synchronized (arrived) {
            if (number != arrived[flow]) {
                faults.add("flow %d: %d instead of %d".formatted(flow, number, arrived[flow]));
            }
            arrived[flow] = number + 1;
        }
        room.release();
    }

    @Test
    void shouldKeepSasWholeAndFlowsInOrder() throws InterruptedException {
        Policy[] policies = policies();
        for (int group = 0; group < GROUPS - 1; group++) {
            rekey(group);
        }
        State ah = Sas.ah(spec(Mode.TRANSPORT, 99, 0x99), "hmac(sha1)");
        a.sad.insert(ah);
        b.sad.insert(Sas.ah(spec(Mode.TRANSPORT, 99, 0x99), "hmac(sha1)"));
        List<PacketPort> hostsOfB = queues(this::arrive);
        List<PacketPort> networksOfB = queues(frame -> {});
        List<PacketPort> hostsOfA = queues(frame -> faults.add("an answer"));
        PacketPort networkOfA = new Port(frame -> {
            check(frame);
            ((Port) networksOfB.get(queue(frame))).put(frame);
        });
        List<Outbound> outbound = Outbound.among(a.context(), a.stats, hostsOfA, networkOfA);
        List<Inbound> inbound = Inbound.among(b.context(), b.stats, networksOfB, hostsOfB.getFirst());
        for (int i = 0; i < THREADS; i++) {
            Outbound out = outbound.get(i);
            Inbound in = inbound.get(i);
            run(out::await, out::doWork);
            run(in::await, in::doWork);
        }
        List<State> gone = new ArrayList<>();
        for (int number = 0; number < PACKETS; number++) {
            for (int flow = 0; flow < FLOWS; flow++) {
                assertTrue(room.tryAcquire(30, TimeUnit.SECONDS), () -> "lost: " + a.stats.toProcText() + faults);
                ((Port) hostsOfA.get(flow * 7 % 5 % THREADS)).put(frame(flow, number));
            }
            if (number == 0) {
                // From here on ESP of group 4 is used alone, too.
                awaitAll();
            } else if (number % 500 == 0) {
                for (int group = 0; group < WITH_AH; group++) {
                    State old = rekey(group);
                    gone.add(old);
                    outbound.getFirst().forget(old);
                }
            }
        }
        awaitAll();
        ports.forEach(Port::close);
        for (Thread thread : running) {
            thread.join();
        }

        assertEquals(List.of(), List.copyOf(faults));
        assertEquals((long) FLOWS * PACKETS, a.stats.outbound(Metric.PACKETS));
        assertEquals((long) FLOWS * PACKETS, a.stats.outbound(Metric.PROTECTED));
        assertEquals((long) FLOWS * PACKETS, b.stats.inbound(Metric.PACKETS));
        assertEquals((long) FLOWS * PACKETS, b.stats.inbound(Metric.PROTECTED));
        assertNotEquals(0, a.stats.outbound(Metric.HANDED_OVER));
        assertNotEquals(0, b.stats.inbound(Metric.HANDED_OVER));
        for (Policy policy : policies) {
            assertEquals((long) FLOWS / GROUPS * PACKETS, policy.usage().renewals());
        }
        outbound.forEach(Outbound::doWork);
        for (State state : gone) {
            EspTransform transform = (EspTransform) state.outbound();
            assertEquals(EspTransform.WIPED, transform.seal(new byte[200], 0, 20, 4, 1), state.toString());
        }
    }

    private void awaitAll() throws InterruptedException {
        assertTrue(room.tryAcquire(UNDER_WAY, 30, TimeUnit.SECONDS), () -> "lost: " + a.stats.toProcText() + faults);
        room.release(UNDER_WAY);
    }

    /** What one thread hands over faster than the other takes waits where it came from; what cannot is counted. */
    @Test
    void shouldCountWhatAThreadThatIsBehindDoesNotTake() {
        TestHost host = new TestHost(1, A, "10.1.0.1");
        host.policy(Direction.OUT, Selector.any(2), Sas.template(Mode.TUNNEL, A, B));
        State state = Sas.state(Sas.spec(Mode.TUNNEL, A, B, 7));
        state.outboundOwner().claim(0);
        host.sad.insert(state);
        List<PacketPort> queues = queues(frame -> {});
        AtomicInteger sent = new AtomicInteger();
        List<Outbound> threads =
                Outbound.among(host.context(), host.stats, queues, new Port(frame -> sent.incrementAndGet()));
        Port second = (Port) queues.get(1);
        for (int i = 0; i < 2 * HandoverRing.SLOTS; i++) {
            second.put(frame(0, i));
        }

        while (threads.get(1).doWork() > 0) {}
        assertTrue(threads.get(0).isHandedOver());
        assertTrue(second.waiting.size() > HandoverRing.SLOTS, "left where they came from");
        assertEquals(0, sent.get());
        while (threads.get(0).doWork() + threads.get(1).doWork() > 0) {}
        assertEquals(2 * HandoverRing.SLOTS, sent.get());

        BusyPort flood = new BusyPort() {
            @Override
            public void receive(PacketPool pool, PacketBatch into) {
                for (int i = 0; i < HandoverRing.SLOTS + 10; i++) {
                    into.add(StackHost.buffer(frame(0, i), 0, 0));
                }
            }

            @Override
            public void send(PacketBatch batch) {}
        };
        Outbound.among(host.context(), host.stats, List.of(queues.getFirst(), flood), new Port(frame -> {}))
                .get(1)
                .doWork();
        assertEquals(10, host.drops(DropReason.OUT_NO_QUEUE_SPACE));
    }
}
