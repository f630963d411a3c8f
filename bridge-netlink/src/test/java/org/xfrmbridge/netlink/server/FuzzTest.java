package org.xfrmbridge.netlink.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * Broken messages: a session never throws, answers in well-formed messages, and a refused request has told nobody of a
 * change.
 */
class FuzzTest {
    private static final int ROUNDS = 60_000;

    private final Random random = new Random(4303);
    private final Bench bench = new Bench();
    private final List<byte[]> replies = new ArrayList<>();
    private final List<byte[]> events = new ArrayList<>();
    private final NetlinkSession client = bench.session(Transcript.PORT_ID, replies);
    private final NetlinkSession listener = bench.session(4712, events);

    @Test
    void shouldSurviveRandomDatagrams() {
        for (int i = 0; i < ROUNDS; i++) {
            byte[] datagram = new byte[random.nextInt(600)];
            random.nextBytes(datagram);
            if (datagram.length >= 16) {
                ByteBuffer header = ByteBuffer.wrap(datagram).order(ByteOrder.nativeOrder());
                header.putInt(0, datagram.length).putShort(4, (short) (0x10 + random.nextInt(0x1c)));
                header.putShort(6, (short) (random.nextInt(0x400) | NetlinkHeader.REQUEST));
            }
            receive(datagram);
        }
    }

    @Test
    void shouldSurviveRequestsOfRealClientsWithBytesChanged() {
        List<byte[]> requests = new ArrayList<>();
        for (String resource : List.of("linux-6.12-states.txt", "linux-6.18-policies.txt", "iproute2-6.1.txt")) {
            Transcript.load(resource).exchanges().forEach(exchange -> requests.addAll(exchange.requests()));
        }
        listener.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.GROUPS, -1, 0).toBytes()));
        for (int i = 0; i < ROUNDS; i++) {
            receive(mutated(requests.get(random.nextInt(requests.size()))));
        }
    }

    private byte[] mutated(byte[] request) {
        byte[] copy = random.nextInt(4) == 0 ? ofLength(request, random.nextInt(request.length + 8)) : request.clone();
        for (int i = random.nextInt(4); i > 0 && copy.length > 0; i--) {
            copy[random.nextInt(copy.length)] = interestingByte();
        }
        return copy;
    }

    private static byte[] ofLength(byte[] request, int length) {
        byte[] copy = Arrays.copyOf(request, length);
        if (length >= 4) {
            ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder()).putInt(0, length);
        }
        return copy;
    }

    private byte interestingByte() {
        byte[] edges = {0, 1, 2, 4, 0x7f, (byte) 0x80, (byte) 0xff};
        return random.nextBoolean() ? edges[random.nextInt(edges.length)] : (byte) random.nextInt(256);
    }

    private void receive(byte[] datagram) {
        replies.clear();
        events.clear();
        client.receive(ByteBuffer.wrap(datagram));
        replies.forEach(NetlinkFuzz::assertWellFormed);
        events.forEach(NetlinkFuzz::assertWellFormed);
        if (isOneRequest(datagram) && replies.size() == 1 && errno(replies.getFirst()) != 0) {
            assertEquals(List.of(), events, () -> "a refused request changed something");
        }
    }

    private static boolean isOneRequest(byte[] datagram) {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram));
        return reader.next() && !reader.next();
    }

    private static int errno(byte[] reply) {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(reply));
        reader.next();
        return reader.header().type() == NetlinkHeader.ERROR ? NetlinkErrors.errno(reader.payload()) : 0;
    }
}
