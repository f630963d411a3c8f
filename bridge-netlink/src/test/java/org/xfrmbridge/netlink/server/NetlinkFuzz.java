package org.xfrmbridge.netlink.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.fuzz.Corpus;
import org.xfrmbridge.fuzz.Databases;
import org.xfrmbridge.fuzz.FuzzInput;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

/**
 * Fuzz target: an engine with three sessions. An asker, a listener of all groups that sometimes does not read, and one
 * without privilege send what the fuzzer makes, time passes and packets ask for States. No exception leaves a session,
 * all that is sent is well-formed, what is refused has changed nothing and is no news, everything can be dumped, and
 * nothing stays behind when all is flushed.
 */
public final class NetlinkFuzz {
    private static final int ASK = 0;
    /** A request whose header is put right first, so that the rest of it is met. */
    private static final int ASK_REPAIRED = 1;

    private static final int ASK_WITHOUT_PRIVILEGE = 2;
    private static final int CONTROL = 3;
    private static final int WAIT = 4;
    private static final int PACKET = 5;
    private static final int STOP_READING = 6;
    private static final int OPERATIONS = 7;

    private static final List<String> TRANSCRIPTS =
            List.of("linux-6.12-states.txt", "linux-6.18-policies.txt", "iproute2-6.1.txt");
    private static final int SEED_REQUESTS = 6;
    private static final int ALL_GROUPS = 0xff;

    private final Bench bench = new Bench();
    private final List<byte[]> replies = new ArrayList<>();
    private final List<byte[]> events = new ArrayList<>();
    private final List<byte[]> denials = new ArrayList<>();
    private final NetlinkSession asker = bench.session(Transcript.PORT_ID, replies);
    private final NetlinkSession listener;
    private final NetlinkSession stranger;
    private boolean listenerReads = true;

    private NetlinkFuzz() {
        listener = new NetlinkSession(bench.engine, bench.keyManager, this::hear, 4712, true);
        stranger = new NetlinkSession(
                bench.engine, bench.keyManager, datagram -> denials.add(Bench.bytes(datagram)), 4713, false);
        listener.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.GROUPS, ALL_GROUPS, 0).toBytes()));
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] input) {
        new NetlinkFuzz().run(new FuzzInput(input));
    }

    /** {@code DIRECTORY}: writes what the fuzzer begins with there. */
    public static void main(String[] args) throws IOException {
        List<byte[]> inputs = seeds();
        inputs.addAll(Corpus.load("netlink"));
        Corpus.unpack(inputs, Path.of(args[0]));
    }

    /** What clients said to real kernels, a few requests at a time. */
    static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (String transcript : TRANSCRIPTS) {
            List<byte[]> requests = new ArrayList<>();
            Transcript.load(transcript).exchanges().forEach(exchange -> requests.addAll(exchange.requests()));
            for (int from = 0; from < requests.size(); from += SEED_REQUESTS) {
                FuzzInput.Writer seed = new FuzzInput.Writer();
                requests.subList(from, Math.min(from + SEED_REQUESTS, requests.size()))
                        .forEach(request -> seed.block(ASK, request));
                seeds.add(seed.number(PACKET, from).number(WAIT, 3).toBytes());
            }
        }
        return seeds;
    }

    private boolean hear(ByteBuffer datagram) {
        return listenerReads && events.add(Bench.bytes(datagram));
    }

    private void run(FuzzInput input) {
        while (input.next()) {
            step(input);
            events.stream()
                    .filter(event -> !ControlFrame.isControl(ByteBuffer.wrap(event)))
                    .forEach(NetlinkFuzz::assertWellFormed);
            events.clear();
        }
        dump(XfrmMessage.GETSA);
        dump(XfrmMessage.GETPOLICY);
        Databases.assertNothingLeft(bench.engine, bench.clock);
    }

    private void step(FuzzInput input) {
        switch (input.operation() % OPERATIONS) {
            case ASK -> ask(input.block());
            case ASK_REPAIRED -> ask(repaired(input.block()));
            case ASK_WITHOUT_PRIVILEGE -> askWithoutPrivilege(input.block());
            case CONTROL -> {
                byte[] frame = Arrays.copyOf(input.block(), ControlFrame.BYTES);
                asker.receive(ByteBuffer.wrap(frame).putInt(0, 0));
            }
            case WAIT -> {
                bench.clock.advanceSeconds(input.number());
                bench.engine.runTimers();
            }
            case PACKET -> packet(input.number());
            case STOP_READING -> {
                listenerReads = !listenerReads;
                listener.writable();
            }
            default -> throw new AssertionError();
        }
    }

    private static byte[] repaired(byte[] request) {
        byte[] whole = Arrays.copyOf(request, Math.max(request.length, NetlinkHeader.BYTES));
        ByteBuffer header = ByteBuffer.wrap(whole).order(ByteOrder.nativeOrder());
        int type =
                XfrmMessage.NEWSA + Byte.toUnsignedInt(whole[4]) % (XfrmMessage.MIGRATE_STATE - XfrmMessage.NEWSA + 1);
        header.putInt(0, whole.length).putShort(4, (short) type).putShort(6, (short)
                (header.getShort(6) | NetlinkHeader.REQUEST));
        return whole;
    }

    private void ask(byte[] request) {
        if (ControlFrame.isControl(ByteBuffer.wrap(request))) {
            return;
        }
        Databases before = Databases.of(bench.engine);
        replies.clear();
        events.clear();
        asker.receive(ByteBuffer.wrap(request));
        replies.forEach(NetlinkFuzz::assertWellFormed);
        if (!isAllRefused(request)) {
            return;
        }
        assertEquals(List.of(), events, "a refused request was news");
        // As in a kernel, ALLOCSPI leaves a larval State without a SPI where none is free.
        if (!holds(request, XfrmMessage.ALLOCSPI)) {
            before.assertUnchanged(bench.engine);
        }
    }

    private void askWithoutPrivilege(byte[] request) {
        Databases before = Databases.of(bench.engine);
        denials.clear();
        stranger.receive(ByteBuffer.wrap(request));
        denials.forEach(NetlinkFuzz::assertWellFormed);
        before.assertUnchanged(bench.engine);
        assertEquals(List.of(), events, "somebody without privilege made news");
    }

    /** Whether there are as many errors as messages: what is not refused may be answered by nothing at all. */
    private boolean isAllRefused(byte[] request) {
        int messages = 0;
        for (NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(request)); reader.next(); ) {
            messages++;
        }
        int refused = 0;
        for (byte[] reply : replies) {
            for (NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(reply)); reader.next(); ) {
                boolean error =
                        reader.header().type() == NetlinkHeader.ERROR && NetlinkErrors.errno(reader.payload()) != 0;
                refused += error ? 1 : 0;
            }
        }
        assertTrue(refused <= messages, "more errors than messages");
        return refused == messages;
    }

    private static boolean holds(byte[] request, int type) {
        for (NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(request)); reader.next(); ) {
            if (reader.header().type() == type) {
                return true;
            }
        }
        return false;
    }

    /** A packet for which a Policy wants a State that is not there. */
    private void packet(int number) {
        Dump<Policy> policies = bench.engine.policies(null);
        for (Policy policy = policies.next(); policy != null; policy = policies.next()) {
            var templates = policy.spec().templates();
            if (!templates.isEmpty()) {
                Flow flow = new Flow();
                flow.family = policy.spec().selector().family() == AddressFamily.INET6
                        ? AddressFamily.INET6
                        : AddressFamily.INET;
                flow.protocol = number;
                var template = templates.get(number % templates.size());
                bench.engine.acquire(policy, template, flow, template.id().daddr(), template.saddr(), shown -> 0);
                bench.engine.drainEvents();
                return;
            }
        }
    }

    private void dump(int type) {
        int payloadBytes = type == XfrmMessage.GETSA ? 24 : 64;
        ByteBuffer request =
                ByteBuffer.allocate(NetlinkHeader.BYTES + payloadBytes).order(ByteOrder.nativeOrder());
        request.putInt(0, request.capacity()).putShort(4, (short) type);
        request.putShort(6, (short) (NetlinkHeader.REQUEST | NetlinkHeader.DUMP));
        replies.clear();
        asker.receive(request);
        replies.forEach(NetlinkFuzz::assertWellFormed);
    }

    static void assertWellFormed(byte[] datagram) {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram));
        int bytes = 0;
        while (reader.next()) {
            bytes += NetlinkHeader.align(reader.header().lengthBytes());
        }
        assertEquals(datagram.length, bytes);
    }
}
