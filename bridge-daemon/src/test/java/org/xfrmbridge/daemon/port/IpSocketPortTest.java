package org.xfrmbridge.daemon.port;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;

/** Against a real kernel's stack; what it has of nftables says what a packet was on its way. */
@Timeout(60)
class IpSocketPortTest {
    private static final int ESP = 50;
    private static final int UDP = 17;
    private static final int PORT = 4500;
    private static final int WAIT_MS = 5000;

    private enum Family {
        IPV4("192.0.2.1", "192.0.2.2", "ip", "-4", 20),
        IPV6("2001:db8::1", "2001:db8::2", "ip6", "-6", 40);

        private final byte[] here;
        private final byte[] there;
        private final String thereText;
        private final String nft;
        private final String option;
        private final int headerBytes;

        Family(String here, String there, String nft, String option, int headerBytes) {
            this.here = bytes(here);
            this.there = bytes(there);
            thereText = there;
            this.nft = nft;
            this.option = option;
            this.headerBytes = headerBytes;
        }

        private static byte[] bytes(String address) {
            return new InetSocketAddress(address, 0).getAddress().getAddress();
        }

        /** A packet with a traffic class (ECN: congestion), a hop limit and, in IPv6, a flow label of its own. */
        byte[] packet(byte[] from, byte[] to, int protocol, byte[] payload) {
            byte[] packet = new byte[headerBytes + payload.length];
            System.arraycopy(payload, 0, packet, headerBytes, payload.length);
            if (this == IPV4) {
                Bytes.putI32(packet, 0, 0x45bb_0000);
                Bytes.putI32(packet, 4, 0x1234_4000);
                Bytes.putU16(packet, 8, 33 << 8 | protocol);
                System.arraycopy(from, 0, packet, 12, 4);
                System.arraycopy(to, 0, packet, 16, 4);
                Ipv4.finish(packet, 0, packet.length);
            } else {
                Bytes.putI32(packet, 0, 0x6bb1_2345);
                Bytes.putU16(packet, 4, payload.length);
                Bytes.putU16(packet, 6, protocol << 8 | 33);
                System.arraycopy(from, 0, packet, 8, 16);
                System.arraycopy(to, 0, packet, 24, 16);
            }
            return packet;
        }

        byte[] out(int number) {
            return packet(here, there, ESP, payload(number, 40));
        }

        byte[] in(int protocol, int number, int bytes) {
            return packet(there, here, protocol, payload(number, bytes));
        }

        byte[] udpIn(int number, int bytes) {
            return udp(there, here, 5555, PORT, number, bytes);
        }

        byte[] udp(byte[] from, byte[] to, int sport, int dport, int number, int bytes) {
            byte[] payload = new byte[8 + bytes];
            System.arraycopy(payload(number, bytes), 0, payload, 8, bytes);
            Bytes.putI32(payload, 0, sport << 16 | dport);
            Bytes.putI32(payload, 4, 8 + bytes << 16);
            long pseudo = Checksum.add(0, from, 0, from.length) + Checksum.add(0, to, 0, to.length);
            int checksum = Checksum.finish(Checksum.add(pseudo + UDP + 8 + bytes, payload, 0, 8 + bytes));
            Bytes.putU16(payload, 6, checksum);
            return packet(from, to, UDP, payload);
        }
    }

    /** A SPI, a sequence number, and bytes that show where they belong. */
    private static byte[] payload(int number, int bytes) {
        byte[] payload = new byte[bytes];
        for (int i = 8; i < bytes; i++) {
            payload[i] = (byte) (i * 7 + number);
        }
        Bytes.putI32(payload, 0, 0x1001);
        Bytes.putI32(payload, 4, number);
        return payload;
    }

    private final PacketPool pool = new PacketPool(256);
    private final PacketBatch received = new PacketBatch(64);
    private final CountDownLatch ready = new CountDownLatch(1);

    private interface Work {
        void run(TestNetwork network, IpSocketPort port) throws Exception;
    }

    private static void withPort(Work work) throws Exception {
        withPort(NoShortcuts::new, work);
    }

    private static void withPort(Shortcuts.Source shortcuts, Work work) throws Exception {
        TestNetwork.need("nft");
        try (TestNetwork network = new TestNetwork()) {
            network.inHere((Callable<Void>) () -> {
                for (Family family : Family.values()) {
                    boolean known = network.ping(family.thereText) || network.ping(family.thereText);
                    assertTrue(known, "the neighbour is known");
                }
                IpSocketPort port = new IpSocketPort(shortcuts, NoInboundShortcuts::new, true);
                try {
                    work.run(network, port);
                } finally {
                    port.close();
                    port.release();
                }
                return null;
            });
        }
    }

    private static PacketBuffer frame(byte[] packet) {
        PacketBuffer frame = new PacketBuffer();
        frame.ensureCapacity(Ethernet.HEADER_BYTES + packet.length);
        frame.length = Ethernet.HEADER_BYTES + packet.length;
        int type = packet[0] >>> 4 == 4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6;
        Bytes.putU16(frame.data, frame.offset + Ethernet.TYPE, type);
        System.arraycopy(packet, 0, frame.data, frame.offset + Ethernet.HEADER_BYTES, packet.length);
        return frame;
    }

    private static PacketBatch frames(byte[]... packets) {
        PacketBatch batch = new PacketBatch(packets.length);
        for (byte[] packet : packets) {
            batch.add(frame(packet));
        }
        return batch;
    }

    private static void sendFromThere(TestNetwork network, byte[]... packets) throws Exception {
        TestNetwork.within(network.startInThere(() -> {
            IpSocketPort port = new IpSocketPort(NoShortcuts::new, NoInboundShortcuts::new, true);
            port.send(frames(packets));
            port.close();
            port.release();
            return null;
        }));
    }

    private static byte[] packet(PacketBuffer frame) {
        int at = frame.offset + Ethernet.HEADER_BYTES;
        return Arrays.copyOfRange(frame.data, at, frame.offset + frame.length);
    }

    /** All that come until there are so many. */
    private List<byte[]> received(IpSocketPort port, int packets) {
        long end = System.nanoTime() + WAIT_MS * 1_000_000L;
        while (received.size() < packets && System.nanoTime() < end) {
            port.await(100);
            PacketBatch some = new PacketBatch(64);
            port.receive(pool, some);
            for (int i = 0; i < some.size(); i++) {
                received.add(some.get(i));
            }
        }
        List<byte[]> all = new ArrayList<>();
        for (int i = 0; i < received.size(); i++) {
            all.add(packet(received.get(i)));
        }
        return all;
    }

    private static void assertPackets(List<byte[]> expected, List<byte[]> actual) {
        HexFormat hex = HexFormat.of();
        assertEquals(
                String.join("\n", expected.stream().map(hex::formatHex).toList()),
                String.join("\n", actual.stream().map(hex::formatHex).toList()));
    }

    /** Of what an interface carries, the packets of a protocol. */
    private static List<byte[]> seen(PacketSocket wire, Family family, int protocol) throws Exception {
        int at = Ethernet.HEADER_BYTES + (family == Family.IPV4 ? Ipv4.PROTOCOL : Ipv6.NEXT_HEADER);
        return seenFrames(wire, family).stream()
                .filter(frame -> frame[at] == (byte) protocol)
                .map(frame -> Arrays.copyOfRange(frame, Ethernet.HEADER_BYTES, frame.length))
                .toList();
    }

    /** Of what an interface carries, the frames with ESP or UDP. */
    private static List<byte[]> seenFrames(PacketSocket wire, Family family) throws Exception {
        List<byte[]> frames = new ArrayList<>();
        int at = Ethernet.HEADER_BYTES + (family == Family.IPV4 ? Ipv4.PROTOCOL : Ipv6.NEXT_HEADER);
        for (byte[] frame = wire.poll(); frame != null; frame = wire.poll()) {
            boolean isOfFamily = frame[14] >>> 4 == (family == Family.IPV4 ? 4 : 6);
            if (isOfFamily && (frame[at] == ESP || frame[at] == UDP)) {
                frames.add(frame);
            }
        }
        return frames;
    }

    private static int index(TestNetwork network, String name) throws Exception {
        return Integer.parseInt(
                network.exec("cat /sys/class/net/" + name + "/ifindex").trim());
    }

    private static void rules(TestNetwork network, String rules) throws Exception {
        Path file = Files.createTempFile("xb", ".nft");
        Files.writeString(file, rules);
        network.exec("nft -f " + file);
        Files.delete(file);
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldSendPacketsAsTheyAre(Family family) throws Exception {
        withPort((network, port) -> {
            rules(network, """
                    table inet t {
                        counter seen { }
                        chain o { type filter hook output priority 0;
                            meta priority 0x5846524d meta l4proto 50 meta mark 0x1234 counter name seen
                        }
                    }
                    """);
            try (PacketSocket wire = new PacketSocket("veth0")) {
                byte[][] packets = new byte[200][];
                for (int i = 0; i < packets.length; i++) {
                    packets[i] = family.out(i);
                }
                PacketBatch batch = frames(packets);
                for (int i = 0; i < 7; i++) {
                    batch.get(i).mark = 0x1234;
                }
                port.send(batch);
                assertPackets(List.of(packets), seen(wire, family, ESP));
            }
            String counters = network.exec("nft list counters");
            assertTrue(counters.contains("packets 7 "), counters);
        });
    }

    /** Past the IP layer, but not past what sees frames leave; all else of the batch as ever, and in its order. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldSendByAShortcut(Family family) throws Exception {
        byte[] mac = {2, 1, 2, 3, 4, 5};
        int[] veth = new int[1];
        Shortcuts.Source toMac = () -> new NoShortcuts() {
            @Override
            public Shortcut find(IpPacket packet, int mark) {
                return new Shortcut(veth[0], MacAddress.read(mac, 0));
            }
        };
        withPort(toMac, (network, port) -> {
            veth[0] = index(network, "veth0");
            rules(network, """
                    table inet t { chain o { type filter hook output priority 0;
                        meta mark 0x1234 drop
                    }
                    }
                    table netdev n {
                        counter seen { }
                        chain e { type filter hook egress device veth0 priority 0;
                            meta mark 0x1234 counter name seen
                        }
                    }
                    """);
            byte[] udp = family.udp(family.here, family.there, 1, 2, 2, 40);
            PacketBatch batch = frames(family.out(0), family.out(1), udp, family.out(3), family.out(4), family.out(5));
            batch.get(0).mark = 0x1234;
            batch.get(1).mark = 0x1234;
            batch.get(4).origin = PacketBuffer.Origin.STACK;
            batch.get(5).ifindex = veth[0];
            try (PacketSocket wire = new PacketSocket("veth0")) {
                port.send(batch);
                List<byte[]> frames = seenFrames(wire, family);
                List<byte[]> packets = frames.stream()
                        .map(frame -> Arrays.copyOfRange(frame, Ethernet.HEADER_BYTES, frame.length))
                        .toList();
                assertPackets(
                        List.of(family.out(0), family.out(1), udp, family.out(3), family.out(4), family.out(5)),
                        packets);
                List<Boolean> shortened = frames.stream()
                        .map(frame -> Arrays.equals(mac, Arrays.copyOf(frame, mac.length)))
                        .toList();
                assertEquals(List.of(true, true, false, true, false, false), shortened);
            }
            String counters = network.exec("nft list counters");
            assertTrue(counters.contains("packets 2 "), counters);
        });
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldSendTheOthersOfABatch(Family family) throws Exception {
        withPort((network, port) -> {
            byte[] elsewhere = family.there.clone();
            elsewhere[0] = 0x3e;
            PacketBatch batch = frames(
                    family.out(0),
                    family.packet(family.here, family.there, ESP, payload(1, 2000)),
                    family.out(2),
                    family.packet(family.here, elsewhere, ESP, payload(3, 40)),
                    family.out(4),
                    family.out(5),
                    family.out(6));
            batch.get(5).data = new byte[20];
            try (PacketSocket wire = new PacketSocket("veth0")) {
                assertThrows(IndexOutOfBoundsException.class, () -> port.send(batch));
                List<byte[]> expected = List.of(family.out(0), family.out(2), family.out(4), family.out(6));
                assertPackets(expected, seen(wire, family, ESP));
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldTakeTheWayOfMarkSourceAndInterface(Family family) throws Exception {
        withPort((network, port) -> {
            byte[] far = family.there.clone();
            far[far.length - 2] = 99;
            far[0] = 0x2f;
            byte[] foreign = family.here.clone();
            foreign[0] = 0x2e;
            String foreignText = InetAddress.getByAddress(foreign).getHostAddress();
            network.ip("link add xbd0 type veth peer name xbd1");
            network.ip("link set xbd1 up");
            network.ip("link set xbd0 arp off up");
            network.ip(family.option + " rule add fwmark 7 lookup 77");
            network.ip(family.option + " rule add from " + foreignText + " lookup 77");
            network.ip(family.option + " route add default dev xbd0 table 77");
            network.ip(family.option + " route add default dev xbd0 metric 5000");
            network.ip(family.option + " route add default via " + family.thereText + " metric 100");
            byte[] own = family.packet(family.here, far, ESP, payload(0, 40));
            byte[] marked = family.packet(family.here, far, ESP, payload(1, 40));
            byte[] forwarded = family.packet(foreign, far, ESP, payload(2, 40));
            byte[] bound = family.packet(family.here, far, ESP, payload(3, 40));
            PacketBatch batch = frames(own, marked, forwarded, bound);
            batch.get(1).mark = 7;
            batch.get(3).ifindex = Integer.parseInt(
                    network.exec("cat /sys/class/net/xbd0/ifindex").trim());
            try (PacketSocket wire = new PacketSocket("veth0");
                    PacketSocket other = new PacketSocket("xbd0")) {
                port.send(batch);
                assertPackets(List.of(own), seen(wire, family, ESP));
                assertPackets(List.of(marked, forwarded, bound), seen(other, family, ESP));
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"IPV4,50", "IPV4,51", "IPV4,108", "IPV6,50", "IPV6,51", "IPV6,108"})
    void shouldReceivePacketsAsTheyAre(Family family, int protocol) throws Exception {
        withPort((network, port) -> {
            rules(network, """
                    table inet t { chain i { type filter hook input priority 0;
                        meta mark set 0x77
                    }
                    }
                    """);
            byte[][] packets = new byte[150][];
            for (int i = 0; i < packets.length; i++) {
                packets[i] = family.in(protocol, i, 40 + i);
            }
            sendFromThere(network, packets);
            assertPackets(List.of(packets), received(port, packets.length));
            int veth = Integer.parseInt(
                    network.exec("cat /sys/class/net/veth0/ifindex").trim());
            for (int i = 0; i < packets.length; i++) {
                PacketBuffer frame = received.get(i);
                assertEquals(0x77, frame.mark);
                assertEquals(veth, frame.ifindex);
                int type = Bytes.u16(frame.data, frame.offset + Ethernet.TYPE);
                assertEquals(family == Family.IPV4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6, type);
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldReceiveFragmentsAsOnePacket(Family family) throws Exception {
        withPort((network, port) -> {
            byte[] whole = family.in(ESP, 0, 2000);
            sendFromThere(network, fragment(family, whole, 0, 1200), fragment(family, whole, 1200, 800));
            List<byte[]> packets = received(port, 1);
            assertEquals(1, packets.size());
            assertArrayEquals(
                    Arrays.copyOfRange(whole, family.headerBytes, whole.length),
                    Arrays.copyOfRange(packets.getFirst(), family.headerBytes, packets.getFirst().length));
        });
    }

    @Test
    void shouldSendFragmentsWithoutAnIdentificationAsThoseOfOnePacket() throws Exception {
        withPort((network, port) -> {
            List<byte[]> lost = withoutIdentification(0);
            List<byte[]> whole = withoutIdentification(1);
            sendFromThere(network, lost.getFirst(), whole.getFirst(), whole.getLast());
            byte[] packet = received(port, 1).getFirst();
            int headerBytes = Family.IPV4.headerBytes;
            assertArrayEquals(payload(1, 2000), Arrays.copyOfRange(packet, headerBytes, packet.length));
        });
    }

    private static List<byte[]> withoutIdentification(int number) {
        byte[] whole = Family.IPV4.in(ESP, number, 2000);
        List<byte[]> fragments =
                List.of(fragment(Family.IPV4, whole, 0, 1200), fragment(Family.IPV4, whole, 1200, 800));
        for (byte[] fragment : fragments) {
            Bytes.putU16(fragment, Ipv4.ID, 0);
        }
        return fragments;
    }

    private static byte[] fragment(Family family, byte[] whole, int from, int bytes) {
        int at = family.headerBytes + from;
        byte[] part = Arrays.copyOfRange(whole, at, at + bytes);
        boolean more = at + bytes < whole.length;
        if (family == Family.IPV4) {
            byte[] packet = family.packet(family.there, family.here, ESP, part);
            Bytes.putU16(packet, Ipv4.FRAGMENT, from / 8 | (more ? Ipv4.MORE_FRAGMENTS : 0));
            return packet;
        }
        byte[] behind = new byte[8 + bytes];
        Bytes.putI32(behind, 0, ESP << 24 | from | (more ? 1 : 0));
        Bytes.putI32(behind, 4, 0x4711);
        System.arraycopy(part, 0, behind, 8, bytes);
        return family.packet(family.there, family.here, 44, behind);
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldCarryJumboPackets(Family family) throws Exception {
        withPort((network, port) -> {
            network.ip("link set veth0 mtu 65535");
            network.ipThere("link set veth0 mtu 65535");
            byte[] large = family.in(ESP, 0, 65_000);
            sendFromThere(network, large, large);
            assertPackets(List.of(large, large), received(port, 2));
        });
    }

    /**
     * The redirection is the packet filter's, which must make no checksum of none. The socket is opened while another
     * thread waits.
     */
    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldReceiveAnEncapsulationPort(Family family) throws Exception {
        withPort((network, port) -> {
            CompletableFuture<Boolean> woken = CompletableFuture.supplyAsync(() -> {
                boolean open = port.await(WAIT_MS);
                received(port, 3);
                return open;
            });
            Thread.sleep(100);
            int x = port.openEncapsulation(PORT);
            assertEquals(x, port.openEncapsulation(PORT));
            rules(network, """
                    table inet t { chain i { type filter hook input priority 0;
                        udp dport %d udp dport set %d udp checksum set 0
                    }
                    }
                    """.formatted(PORT, x));
            byte[][] packets = {family.udpIn(0, 40), family.udpIn(1, 1200), family.udpIn(2, 40)};
            Bytes.putU16(packets[2], family.headerBytes + 6, 0);
            sendFromThere(network, packets);
            assertTrue(TestNetwork.within(woken));
            List<byte[]> expected = new ArrayList<>();
            for (byte[] packet : packets) {
                expected.add(asRebuilt(family, packet));
            }
            assertPackets(expected, received(port, 3));

            port.closeEncapsulation(PORT);
            received.clear();
            sendFromThere(network, packets);
            assertFalse(port.await(50) && !received(port, 0).isEmpty());
            assertEquals(x, port.openEncapsulation(PORT + 1), "the sockets of the port that is closed");
        });
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldSendTrainsOfUdp(Family family) throws Exception {
        withPort((network, port) -> {
            rules(network, """
                    table inet t {
                        chain o { type filter hook output priority -310;
                            meta priority 0x5846524d udp sport %d udp sport set %d
                        }
                    }
                    """.formatted(port.openEncapsulation(PORT), PORT));
            byte[][] packets = new byte[100][];
            for (int i = 0; i < packets.length; i++) {
                byte[] packet = family.udp(family.here, family.there, PORT, 5555, i, i == 70 ? 300 : 1200);
                // Some have a TOS.
                packets[i] = i < 95 ? plain(family, packet) : packet;
            }
            port.setSourceRedirected(PORT, true);
            CompletableFuture<List<String>> peer = network.startInThere(() -> datagrams(packets.length, ready));
            ready.await();
            port.send(frames(packets));
            List<String> expected = new ArrayList<>();
            for (byte[] packet : packets) {
                byte[] content = Arrays.copyOfRange(packet, family.headerBytes + 8, packet.length);
                expected.add(PORT + " " + HexFormat.of().formatHex(content));
            }
            assertEquals(expected, TestNetwork.within(peer));
        });
    }

    private static List<String> datagrams(int count, CountDownLatch ready) throws Exception {
        List<String> datagrams = new ArrayList<>();
        try (DatagramSocket socket = new DatagramSocket(5555)) {
            socket.setReceiveBufferSize(4 << 20);
            socket.setSoTimeout(WAIT_MS);
            ready.countDown();
            DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
            while (datagrams.size() < count) {
                socket.receive(packet);
                byte[] content = Arrays.copyOf(packet.getData(), packet.getLength());
                datagrams.add(packet.getPort() + " " + HexFormat.of().formatHex(content));
            }
        }
        return datagrams;
    }

    /** From port to port, with trains that the receiving socket gets as one. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldReceiveTrainsOfUdp(Family family) throws Exception {
        withPort((network, port) -> {
            int x = port.openEncapsulation(PORT);
            byte[][] packets = new byte[30][];
            for (int i = 0; i < packets.length; i++) {
                int bytes = i == packets.length - 1 ? 300 : 1200;
                packets[i] = plain(family, family.udp(family.there, family.here, PORT, x, i, bytes));
            }
            AtomicInteger source = new AtomicInteger();
            TestNetwork.within(network.startInThere(() -> {
                IpSocketPort there = new IpSocketPort(NoShortcuts::new, NoInboundShortcuts::new, true);
                source.set(there.openEncapsulation(PORT));
                there.setSourceRedirected(PORT, true);
                there.send(frames(packets));
                there.release();
                return null;
            }));
            List<byte[]> expected = new ArrayList<>();
            for (byte[] packet : packets) {
                Bytes.putU16(packet, family.headerBytes, source.get());
                Bytes.putU16(packet, family.headerBytes + 2, PORT);
                expected.add(asRebuilt(family, packet));
            }
            List<byte[]> actual = received(port, packets.length);
            // The flow label of a train is the kernel's.
            if (family == Family.IPV6) {
                actual.forEach(packet -> Bytes.putI32(packet, 0, 0x6bb1_2345));
            }
            assertPackets(expected, actual);
        });
    }

    /** With a TOS of 0: a train of IPv4 cannot have another. */
    private static byte[] plain(Family family, byte[] packet) {
        if (family == Family.IPV4) {
            packet[Ipv4.TOS] = 0;
            Ipv4.finish(packet, 0, packet.length);
        }
        return packet;
    }

    /** Without what a UDP socket does not tell. */
    private static byte[] asRebuilt(Family family, byte[] packet) {
        Bytes.putU16(packet, family.headerBytes + 6, 0);
        if (family == Family.IPV4) {
            Bytes.putU16(packet, Ipv4.ID, 0);
            Ipv4.finish(packet, 0, packet.length);
        }
        return packet;
    }

    /** Of ICMP nothing but what tells of sizes. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldReceiveErrorsAboutSizes(Family family) throws Exception {
        withPort((network, port) -> {
            assertTrue(network.pingFromThere(family == Family.IPV4 ? "192.0.2.1" : "2001:db8::1"));
            byte[] error = new byte[8 + 60];
            int typeAndCode = family == Family.IPV4 ? 0x0304 : 0x0200;
            Bytes.putI32(error, 0, typeAndCode << 16);
            Bytes.putI32(error, 4, 1300);
            System.arraycopy(family.out(0), 0, error, 8, 60);
            long pseudo = family == Family.IPV4
                    ? 0
                    : Checksum.add(Checksum.add(0, family.here, 0, 16), family.there, 0, 16) + 58 + error.length;
            Bytes.putU16(error, 2, Checksum.finish(Checksum.add(pseudo, error, 0, error.length)));
            byte[] packet = family.packet(family.there, family.here, family == Family.IPV4 ? 1 : 58, error);
            sendFromThere(network, packet);
            assertPackets(List.of(packet), received(port, 1));
        });
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldReceiveIpInIpWhenAsked(Family family) throws Exception {
        withPort((network, port) -> {
            byte[] packet = family.in(family == Family.IPV4 ? 4 : 41, 0, 60);
            sendFromThere(network, packet);
            assertFalse(port.await(50) && !received(port, 0).isEmpty());
            port.receiveIpInIp();
            port.receiveIpInIp();
            sendFromThere(network, packet);
            assertPackets(List.of(packet), received(port, 1));
        });
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldReceiveTheNextPacketAfterAFault(Family family) throws Exception {
        withPort((network, port) -> {
            sendFromThere(network, family.in(ESP, 0, 40), family.in(ESP, 1, 40));
            port.await(WAIT_MS);
            PacketBuffer broken = new PacketBuffer();
            broken.data = null;
            pool.give(broken);
            assertThrows(NullPointerException.class, () -> port.receive(pool, received));
            assertPackets(List.of(family.in(ESP, 1, 40)), received(port, 1));
        });
    }

    /** As many as the socket's memory holds, and then some. */
    @Test
    void shouldTellOfPacketsThatNobodyTook() throws Exception {
        withPort((network, port) -> {
            byte[][] packets = new byte[64][];
            for (int i = 0; i < packets.length; i++) {
                packets[i] = Family.IPV4.in(ESP, i, 1400);
            }
            assertEquals(0, port.missed());
            for (int round = 0; round < 400 && port.missed() == 0; round++) {
                sendFromThere(network, packets);
            }
            assertTrue(port.missed() > 0);
        });
    }

    @Test
    void shouldWakeTheReceiverWhenItIsClosed() throws Exception {
        withPort((network, port) -> {
            CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(() -> port.await(60_000));
            Thread.sleep(50);
            port.close();
            assertFalse(TestNetwork.within(waiting));
        });
    }
}
