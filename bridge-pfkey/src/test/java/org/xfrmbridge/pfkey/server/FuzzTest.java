package org.xfrmbridge.pfkey.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbXKmaddress;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.msg.SockaddrPair;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * Broken messages: a session never throws, answers in well-formed messages, and a refused request has changed nothing.
 */
class FuzzTest {
    private static final int ROUNDS = 60_000;
    private static final int FLUSH_EVERY = 500;

    /** Of an X_SPDADD for IPv4: behind the header and two addresses. */
    private static final int POLICY_AT = 64;

    private final Random random = new Random(2367);
    private final Bench bench = new Bench();

    FuzzTest() {
        bench.open("client");
        bench.open("listener");
        bench.open("promiscuous");
    }

    @Test
    void shouldSurviveRandomDatagrams() {
        for (int i = 0; i < ROUNDS; i++) {
            byte[] datagram = new byte[random.nextInt(300)];
            random.nextBytes(datagram);
            if (datagram.length >= SadbMsg.BYTES) {
                repairHeader(datagram);
            }
            receive(datagram);
        }
    }

    @Test
    void shouldSurviveRequestsOfRealClientsWithBytesChanged() {
        List<byte[]> requests = Transcript.load("linux-6.1.txt").exchanges().stream()
                .filter(exchange -> exchange.sent() != null)
                .map(exchange -> exchange.sent().datagram())
                .toList();
        for (int i = 0; i < ROUNDS; i++) {
            receive(mutated(requests.get(random.nextInt(requests.size()))));
            if (i % FLUSH_EVERY == 0) {
                receive(new SadbMsg(SadbType.FLUSH, 0, 1, 1).answeredWith(0).toBytes());
            }
        }
    }

    @Test
    void shouldSurviveMigrationsAndSocketPoliciesWithBytesChanged() {
        SockaddrPair here = pair("192.0.2.1", "192.0.2.2");
        byte[] add = PfkeySessionTest.tunnels(new SadbWriter(new SadbMsg(SadbType.X_SPDADD, 0, 1, 1)), here)
                .toBytes();
        SadbWriter migration = new SadbWriter(new SadbMsg(SadbType.X_MIGRATE, 0, 1, 1))
                .put(SadbExt.X_KMADDRESS, new SadbXKmaddress(0, here));
        byte[] migrate = PfkeySessionTest.tunnels(migration, here, pair("198.51.100.1", "192.0.2.2"))
                .toBytes();
        byte[] option = Arrays.copyOfRange(add, POLICY_AT, add.length);
        for (int i = 0; i < ROUNDS / 2; i++) {
            receive(mutated(i % 8 == 0 ? add : migrate));
            ByteBuffer value = ByteBuffer.wrap(mutated(option)).order(ByteOrder.nativeOrder());
            try {
                bench.keyManager.socketPolicy(value, AddressFamily.INET, bench.engine);
            } catch (XfrmException e) {
                assertTrue(
                        e.errno() == Errno.EINVAL || e.errno() == Errno.ELOOP,
                        e.errno().toString());
            }
        }
    }

    private static SockaddrPair pair(String source, String destination) {
        return new SockaddrPair(
                new Sockaddr(AddressFamily.INET, 0, Address.parse(source)),
                new Sockaddr(AddressFamily.INET, 0, Address.parse(destination)));
    }

    private void repairHeader(byte[] datagram) {
        ByteBuffer header = ByteBuffer.wrap(datagram).order(ByteOrder.nativeOrder());
        header.put(0, (byte) SadbMsg.VERSION)
                .put(1, (byte) (1 + random.nextInt(SadbType.MAX)))
                .put(3, (byte) random.nextInt(10));
        header.putShort(4, (short) (datagram.length / SadbMsg.WORD_BYTES)).putShort(6, (short) 0);
    }

    private byte[] mutated(byte[] request) {
        byte[] copy =
                random.nextInt(4) == 0 ? Arrays.copyOf(request, random.nextInt(request.length + 16)) : request.clone();
        for (int i = random.nextInt(4); i > 0 && copy.length > 0; i--) {
            copy[random.nextInt(copy.length)] = interestingByte();
        }
        if (random.nextInt(4) != 0 && copy.length >= SadbMsg.BYTES) {
            ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder()).putShort(4, (short)
                    (copy.length / SadbMsg.WORD_BYTES));
        }
        return copy;
    }

    private byte interestingByte() {
        byte[] edges = {0, 1, 2, 3, 4, 0x7f, (byte) 0x80, (byte) 0xff};
        return random.nextBoolean() ? edges[random.nextInt(edges.length)] : (byte) random.nextInt(256);
    }

    private void receive(byte[] datagram) {
        // What X_PROMISC makes sockets hear is other sockets' bytes, as they are: it goes through one of its own.
        if (datagram.length > 1 && datagram[1] == SadbType.X_PROMISC) {
            bench.send("promiscuous", datagram);
            bench.take();
            return;
        }
        String before = entries();
        bench.send("client", datagram);
        Map<String, List<byte[]>> received = bench.take();
        List<byte[]> answers = received.getOrDefault("client", List.of());
        List<byte[]> news = received.getOrDefault("listener", List.of());
        for (byte[] message : answers) {
            PfkeyFuzz.assertWellFormed(message);
        }
        for (byte[] message : news) {
            PfkeyFuzz.assertWellFormed(message);
        }
        // GETSPI leaves a larval state without a SPI where none is free, as in a kernel.
        boolean leaves = datagram.length > 1 && datagram[1] == SadbType.GETSPI;
        if (!leaves
                && !answers.isEmpty()
                && SadbMsg.read(ByteBuffer.wrap(answers.getFirst())).errno() != 0) {
            assertEquals(before, entries(), "a refused request changed something");
            assertEquals(List.of(), news, "a refused request was news");
        }
    }

    private String entries() {
        return bench.engine.stateCounts().states() + " "
                + Arrays.toString(bench.engine.policyCounts().global());
    }
}
