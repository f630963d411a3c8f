package org.xfrmbridge.pfkey.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.fuzz.Corpus;
import org.xfrmbridge.fuzz.Databases;
import org.xfrmbridge.fuzz.FuzzInput;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Fuzz target: an engine with five sockets. One asks what the fuzzer makes, one only listens, one is registered, one is
 * promiscuous when the fuzzer says so, one has no privilege; time passes and packets ask for States. No exception
 * leaves a session, all that is sent is well-formed, what is refused has changed nothing and is no news, everything can
 * be dumped, and nothing stays behind when all is flushed.
 */
public final class PfkeyFuzz {
    private static final int ASK = 0;
    /** A request whose header is put right first, so that the rest of it is met. */
    private static final int ASK_REPAIRED = 1;

    private static final int ASK_WITHOUT_PRIVILEGE = 2;
    private static final int CONTROL = 3;
    private static final int WAIT = 4;
    private static final int PACKET = 5;
    private static final int PROMISCUOUS = 6;
    private static final int OPERATIONS = 7;

    private static final String ASKER = "asker";
    private static final String STRANGER = "stranger";
    private static final String SNOOPER = "snooper";
    private static final List<String> HEARERS = List.of("listener", "registered");
    private static final int SEED_REQUESTS = 6;

    private final Bench bench = new Bench();

    private PfkeyFuzz() {
        bench.open(ASKER);
        bench.open(SNOOPER);
        HEARERS.forEach(bench::open);
        bench.open(STRANGER, new PfkeyCaller(18, 1000, false));
        for (int satype = Satype.UNSPEC + 1; satype <= Satype.MAX; satype++) {
            bench.send("registered", new ControlFrame(ControlFrame.REGISTER, satype, 0).toBytes());
        }
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] input) {
        new PfkeyFuzz().run(new FuzzInput(input));
    }

    /** {@code DIRECTORY}: writes what the fuzzer begins with there. */
    public static void main(String[] args) throws IOException {
        List<byte[]> inputs = seeds();
        inputs.addAll(Corpus.load("pfkey"));
        Corpus.unpack(inputs, Path.of(args[0]));
    }

    /** What clients said to a real kernel, a few requests at a time. */
    static List<byte[]> seeds() {
        List<byte[]> requests = Transcript.load("linux-6.1.txt").exchanges().stream()
                .filter(exchange -> exchange.sent() != null)
                .map(exchange -> exchange.sent().datagram())
                .toList();
        List<byte[]> seeds = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += SEED_REQUESTS) {
            FuzzInput.Writer seed = new FuzzInput.Writer();
            requests.subList(from, Math.min(from + SEED_REQUESTS, requests.size()))
                    .forEach(request -> seed.block(ASK, request));
            seeds.add(seed.number(PACKET, from).number(WAIT, 3).toBytes());
        }
        return seeds;
    }

    private void run(FuzzInput input) {
        while (input.next()) {
            step(input);
            check(bench.take());
        }
        dump(SadbType.DUMP);
        dump(SadbType.X_SPDDUMP);
        bench.keyManager.procText();
        Databases.assertNothingLeft(bench.engine, bench.clock);
    }

    private void step(FuzzInput input) {
        switch (input.operation() % OPERATIONS) {
            case ASK -> ask(input.block());
            case ASK_REPAIRED -> ask(repaired(input.block()));
            case ASK_WITHOUT_PRIVILEGE -> {
                Databases before = Databases.of(bench.engine);
                bench.send(STRANGER, input.block());
                before.assertUnchanged(bench.engine);
            }
            case CONTROL -> {
                byte[] frame = Arrays.copyOf(input.block(), ControlFrame.BYTES);
                bench.send(ASKER, ByteBuffer.wrap(frame).putInt(0, 0).array());
            }
            case WAIT -> bench.passSeconds(input.number());
            case PACKET -> packet(input.number());
            case PROMISCUOUS -> {
                byte[] request = new SadbMsg(SadbType.X_PROMISC, input.number() & 1, 1, 1)
                        .answeredWith(0)
                        .toBytes();
                bench.send(SNOOPER, request);
            }
            default -> throw new AssertionError();
        }
    }

    private static byte[] repaired(byte[] request) {
        int bytes = Math.max(request.length, SadbMsg.BYTES) / SadbMsg.WORD_BYTES * SadbMsg.WORD_BYTES;
        byte[] whole = Arrays.copyOf(request, bytes);
        whole[0] = SadbMsg.VERSION;
        whole[1] = (byte) (1 + Byte.toUnsignedInt(whole[1]) % SadbType.MAX);
        ByteBuffer.wrap(whole).order(ByteOrder.nativeOrder()).putShort(4, (short) (bytes / SadbMsg.WORD_BYTES));
        return whole;
    }

    private void ask(byte[] request) {
        int type = request.length < SadbMsg.BYTES ? 0 : request[1];
        if (type == SadbType.X_PROMISC) {
            // A promiscuous socket hears others' bytes as they are, and what the message carries is passed on to all
            // so.
            bench.send(SNOOPER, request);
            bench.take();
            return;
        }
        Databases before = Databases.of(bench.engine);
        bench.send(ASKER, request);
        Map<String, List<byte[]>> received = bench.take();
        check(received);
        List<byte[]> answers = received.getOrDefault(ASKER, List.of());
        boolean refused = !answers.isEmpty()
                && SadbMsg.read(ByteBuffer.wrap(answers.getFirst())).errno() != 0;
        if (!refused) {
            return;
        }
        HEARERS.forEach(
                name -> assertEquals(List.of(), received.getOrDefault(name, List.of()), "a refused request was news"));
        // As in a kernel, GETSPI leaves a larval State without a SPI where none is free.
        if (type != SadbType.GETSPI) {
            before.assertUnchanged(bench.engine);
        }
    }

    /** A packet for which a Policy wants a State that is not there. */
    private void packet(int number) {
        Flow flow = new Flow();
        flow.family = (number & 1) == 0 ? AddressFamily.INET : AddressFamily.INET6;
        flow.protocol = number >> 1;
        Policy policy = bench.databases.spd().lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
        if (policy != null && !policy.spec().templates().isEmpty()) {
            var template = policy.spec().templates().getFirst();
            bench.engine.acquire(policy, template, flow, Address.ofIpv4(number), template.saddr(), shown -> 0);
            bench.engine.drainEvents();
        }
    }

    private void dump(int type) {
        bench.send(ASKER, new SadbMsg(type, Satype.UNSPEC, 1, 1).answeredWith(0).toBytes());
        check(bench.take());
    }

    private static void check(Map<String, List<byte[]>> received) {
        received.forEach((name, messages) -> {
            if (!name.equals(SNOOPER)) {
                messages.forEach(PfkeyFuzz::assertWellFormed);
            }
        });
    }

    /** Whole extensions, up to the end. */
    static void assertWellFormed(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
        assertEquals(message.length, SadbMsg.read(in).lengthWords() * SadbMsg.WORD_BYTES);
        int at = SadbMsg.BYTES;
        while (at < message.length) {
            int words = Short.toUnsignedInt(in.getShort(at));
            assertTrue(words > 0);
            at += words * SadbMsg.WORD_BYTES;
        }
        assertEquals(message.length, at);
    }
}
