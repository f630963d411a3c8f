package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Packets flow in two datapath threads, one for each direction, while a third changes what they read: specs, replay
 * windows, policies, and the States themselves, keys wiped. Nothing throws, no packet arrives changed, and every one
 * that does not arrive has its reason.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ConcurrencyTest {
    private static final String A = "192.0.2.1";
    private static final String B = "192.0.2.2";
    private static final int PACKETS = 30_000;
    /**
     * Of a State that went while a packet was on its way through; on the way out only where it went before its first
     * packet.
     */
    private static final Set<DropReason> EXPECTED = EnumSet.of(
            DropReason.OUT_STATE_PROTO_ERROR,
            DropReason.IN_NO_STATES,
            DropReason.IN_STATE_INVALID,
            DropReason.IN_STATE_PROTO_ERROR);

    private final TestHost a = new TestHost(A, "10.1.0.1");
    private final TestHost b = new TestHost(B, "10.2.0.1");
    private final BlockingQueue<List<byte[]>> wire = new LinkedBlockingQueue<>(256);
    private final AtomicBoolean done = new AtomicBoolean();
    private int nextSpi = 100;
    private State sending;
    private State receiving;
    private State sendingAh;
    private State receivingAh;

    private static Frames frames(int number) {
        byte[] upper = new byte[40 + number % 700];
        for (int i = 4; i < upper.length; i++) {
            upper[i] = (byte) (number * 31 + i);
        }
        upper[0] = 0;
        Bytes.putI32(upper, 4, number);
        Frames frames = Frames.udp("10.1.0." + (1 + number % 5), "10.2.0.1");
        return frames.payload(IpProtocol.GRE, upper);
    }

    private void policies() {
        Template esp = Sas.template(Mode.TUNNEL, A, B);
        Template ah = Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, A, B));
        a.policy(Direction.OUT, Selector.any(2), esp, ah);
        b.policy(Direction.IN, Selector.any(2), esp, ah);
    }

    /** Both ends get new States, the receiver first; the old ones then go as the control side lets them go. */
    private void rekey() {
        State[] old = {sending, sendingAh};
        State[] oldReceiving = {receiving, receivingAh};
        int spi = nextSpi++;
        receiving = Sas.state(Sas.spec(Mode.TUNNEL, A, B, spi));
        receivingAh = Sas.ah(transport(spi), "hmac(sha1)");
        b.sad.insert(receiving);
        b.sad.insert(receivingAh);
        sending = Sas.state(Sas.spec(Mode.TUNNEL, A, B, spi));
        sendingAh = Sas.ah(transport(spi), "hmac(sha1)");
        a.sad.insert(sending);
        a.sad.insert(sendingAh);
        retire(a, old);
        if (spi % 4 == 0) {
            retire(b, oldReceiving);
        }
    }

    private static StateSpecBuilder transport(int spi) {
        return Sas.spec(Mode.TRANSPORT, A, B, spi).selector(Selector.any(0));
    }

    private static void retire(TestHost host, State... states) {
        for (State state : states) {
            if (state != null) {
                host.sad.remove(state);
                state.wipeKeys();
            }
        }
    }

    private void respec(TestHost host, State state, int round) {
        StateSpecBuilder spec = state.spec().toBuilder()
                .lifetime(Lifetime.builder().hardAddSeconds(100_000 + round).build());
        host.sad.respec(state, spec.build());
    }

    private void change(int round) {
        switch (round % 6) {
            case 0 -> respec(a, sending, round);
            case 1 -> respec(b, receiving, round);
            case 2 -> receiving.resetReplay(receiving.replaySnapshot());
            case 3 -> policies();
            case 4 -> {
                // Nobody's traffic, but every cached answer is stale.
                Selector other = Sas.between("10.77.0.0/16", "10.2.0.0/16");
                b.policy(Direction.IN, other, PolicySpec.Action.BLOCK, 1);
                a.policy(Direction.OUT, other, PolicySpec.Action.BLOCK, 1);
            }
            default -> rekey();
        }
    }

    private int send() throws InterruptedException {
        for (int i = 0; i < PACKETS; i++) {
            List<byte[]> sent = a.send(frames(i).frame());
            if (!sent.isEmpty()) {
                wire.put(sent);
            }
        }
        return PACKETS;
    }

    private int receive() throws InterruptedException {
        int arrived = 0;
        while (true) {
            List<byte[]> frames = wire.poll(100, TimeUnit.MILLISECONDS);
            if (frames == null) {
                if (done.get()) {
                    return arrived;
                }
                continue;
            }
            for (byte[] frame : b.receive(frames)) {
                byte[] packet = Frames.packet(frame);
                assertArrayEquals(frames(Bytes.i32(packet, 24)).packet(), packet);
                arrived++;
            }
        }
    }

    @Test
    void shouldNeitherFailNorMixUpPacketsWhileEverythingChanges() throws Exception {
        rekey();
        policies();
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<Integer> sender = threads.submit(this::send);
            Future<Integer> receiver = threads.submit(this::receive);
            int round = 0;
            while (!sender.isDone()) {
                change(round++);
                Thread.onSpinWait();
            }
            int sent = sender.get();
            done.set(true);
            int arrived = receiver.get();
            long drops = 0;
            for (DropReason reason : DropReason.ALL) {
                long count = a.drops(reason) + b.drops(reason);
                assertTrue(count == 0 || EXPECTED.contains(reason), reason + " " + count);
                drops += count;
            }
            assertEquals(sent, arrived + drops);
            assertEquals(List.of(), a.told, "there always was a State: nobody is to be asked for one");
            assertTrue(arrived > sent / 2, arrived + " of " + sent + " in " + round + " changes");
            assertTrue(round > 20, round + " changes");
        }
    }
}
