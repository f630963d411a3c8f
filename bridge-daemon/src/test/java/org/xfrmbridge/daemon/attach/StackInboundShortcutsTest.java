package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.port.IpSocketPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;

/** Against a real kernel: ESP comes by a ring or by a socket, never by both. */
@Timeout(120)
class StackInboundShortcutsTest {
    private static final int ESP = 50;
    private static final int MARK_BIT = 0x40000000;
    private static final int BURST = 200;
    /** Where a frame has its number: behind the longest headers that are tried here, and the SPI. */
    private static final int NUMBER = 14 + 4 + 48 + 8;

    private static final int SIGN = 0x58425245;

    private final ManualClock clock = new ManualClock();
    private final PacketPool pool = new PacketPool(256);
    private TestNetwork network;
    private IpSocketPort port;
    private byte[] mac;

    private interface Work {
        void run() throws Exception;
    }

    private void withPort(Clock time, Work work) throws Exception {
        try (TestNetwork made = new TestNetwork()) {
            network = made;
            network.inHere((Callable<Void>) () -> {
                mac = NetworkInterface.getByName("veth0").getHardwareAddress();
                port = new IpSocketPort(
                        () -> new StackShortcuts(time, MARK_BIT),
                        () -> new StackInboundShortcuts(time, MARK_BIT),
                        true);
                try {
                    work.run();
                } finally {
                    port.close();
                    port.release();
                }
                assertFalse(network.exec("nft list tables").contains("ring"));
                return null;
            });
        }
    }

    /** One that has come, and which way. */
    private record Arrival(int number, boolean byRing, byte[] packet) {
        static Arrival of(PacketBuffer frame) {
            byte[] packet =
                    Arrays.copyOfRange(frame.data, frame.offset + Ethernet.HEADER_BYTES, frame.offset + frame.length);
            // What a socket gives has link addresses of zeros.
            boolean byRing = MacAddress.read(frame.data, frame.offset) != 0;
            return new Arrival(numberIn(packet), byRing, packet);
        }

        private static int numberIn(byte[] packet) {
            for (int at = 28; at + 8 <= packet.length; at += 4) {
                if (Bytes.i32(packet, at) == SIGN) {
                    return Bytes.i32(packet, at + 4);
                }
            }
            return -1;
        }
    }

    private byte[] frame(int packetBytes, int type, int number) {
        byte[] frame = new byte[Ethernet.HEADER_BYTES + packetBytes];
        System.arraycopy(mac, 0, frame, 0, mac.length);
        frame[6] = 0x02;
        Bytes.putU16(frame, Ethernet.TYPE, type);
        Bytes.putI32(frame, NUMBER, SIGN);
        Bytes.putI32(frame, NUMBER + 4, number);
        return frame;
    }

    private byte[] ipv4(int number) {
        return ipv4(number, 100);
    }

    private byte[] ipv4(int number, int packetBytes) {
        byte[] frame = frame(packetBytes, Ethernet.TYPE_IPV4, number);
        Bytes.putU16(frame, 14, 0x4500);
        Bytes.putU16(frame, 16, packetBytes);
        Bytes.putU16(frame, 20, 0x4000);
        Bytes.putI32(frame, 26, Address.parse("192.0.2.2").ipv4());
        Bytes.putI32(frame, 30, Address.parse("192.0.2.1").ipv4());
        return with(frame, 22, 64 << 8 | ESP);
    }

    private byte[] ipv6(int number) {
        byte[] frame = frame(100, Ethernet.TYPE_IPV6, number);
        Bytes.putU16(frame, 14, 0x6000);
        Bytes.putU16(frame, 18, 60);
        Bytes.putU16(frame, 20, ESP << 8 | 64);
        put(frame, 22, "2001:db8::2");
        put(frame, 38, "2001:db8::1");
        return frame;
    }

    private static void put(byte[] frame, int at, String address) {
        Bytes.putI64(frame, at, Address.parse(address).high());
        Bytes.putI64(frame, at + 8, Address.parse(address).low());
    }

    /** With another word, and the right checksum. */
    private static byte[] with(byte[] frame, int at, int value) {
        Bytes.putU16(frame, at, value);
        int headerBytes = 4 * (frame[14] & 0xf);
        Bytes.putU16(frame, 24, 0);
        Bytes.putU16(frame, 24, Checksum.finish(Checksum.add(0, frame, 14, headerBytes)));
        return frame;
    }

    private static byte[] tagged(byte[] frame, int tag) {
        byte[] tagged = new byte[frame.length + 4];
        System.arraycopy(frame, 0, tagged, 0, 12);
        Bytes.putI32(tagged, 12, Ethernet.TYPE_VLAN << 16 | tag);
        System.arraycopy(frame, 12, tagged, 16, frame.length - 12);
        return tagged;
    }

    private void send(List<byte[]> frames) throws Exception {
        TestNetwork.within(network.startInThere(() -> TestNetwork.sendFrames(frames)));
    }

    private List<byte[]> burst(boolean isIpv4) {
        return IntStream.range(0, BURST)
                .mapToObj(number -> isIpv4 ? ipv4(number) : ipv6(number))
                .toList();
    }

    private List<Arrival> arrivals() {
        List<Arrival> arrivals = new ArrayList<>();
        for (int quiet = 0; quiet < 3; quiet++) {
            port.await(20);
            quiet = receive(arrivals) ? 0 : quiet;
        }
        return arrivals;
    }

    private boolean receive(List<Arrival> into) {
        PacketBatch batch = new PacketBatch(64);
        port.receive(pool, batch);
        boolean any = !batch.isEmpty();
        for (int i = 0; i < batch.size(); i++) {
            into.add(Arrival.of(batch.get(i)));
        }
        batch.releaseTo(pool);
        return any;
    }

    private List<Arrival> arrivalsOf(List<byte[]> frames) throws Exception {
        send(frames);
        return arrivals();
    }

    private static List<Integer> numbers(List<Arrival> arrivals) {
        return arrivals.stream().map(Arrival::number).toList();
    }

    private boolean comesByRing(boolean isIpv4) throws Exception {
        List<Arrival> arrivals = arrivalsOf(burst(isIpv4));
        assertEquals(IntStream.range(0, BURST).boxed().toList(), numbers(arrivals));
        return arrivals.getLast().byRing();
    }

    private boolean comesByRing() throws Exception {
        return comesByRing(true);
    }

    /** A kernel tells of interfaces and addresses that are new for a while. */
    private void openWay(boolean isIpv4) throws Exception {
        for (int tries = 0; !comesByRing(isIpv4); tries++) {
            assertTrue(tries < 50, "no way is opened");
            pass(110);
        }
        assertTrue(comesByRing(isIpv4));
    }

    private void pass(long ms) {
        clock.advanceNs(ms * 1_000_000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldComeByARingWhileThereIsMuch(boolean isIpv4) throws Exception {
        withPort(clock, () -> {
            openWay(isIpv4);
            List<Arrival> arrivals = arrivalsOf(burst(isIpv4));
            for (int i = 0; i < BURST; i++) {
                byte[] sent = burst(isIpv4).get(i);
                assertTrue(Arrays.equals(
                        Arrays.copyOfRange(sent, Ethernet.HEADER_BYTES, sent.length),
                        arrivals.get(i).packet()));
            }
            pass(10_001);
            arrivals();
            assertFalse(comesByRing(isIpv4), "it had been quiet for long");
        });
    }

    @Test
    void shouldNotComeByARingWhereThereIsLittle() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            pass(10_001);
            arrivals();
            pass(110);
            for (int i = 0; i < 10; i++) {
                pass(101);
                List<Arrival> arrivals = arrivalsOf(burst(true).subList(0, 40));
                assertEquals(40, arrivals.size());
                assertFalse(arrivals.stream().anyMatch(Arrival::byRing));
            }
        });
    }

    /** Whatever it is, the IP layer has it, or drops it. */
    @Test
    void shouldLeaveAllElseToTheIpLayer() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            byte[] forOther = ipv4(3);
            forOther[5] ^= 1;
            byte[] broken = ipv4(4);
            broken[24] ^= 1;
            byte[] withOption = with(ipv4(2), 14, 0x4600);
            Bytes.putI32(withOption, 34, 0x01010101);
            with(withOption, 14, 0x4600);
            byte[] first = with(ipv4(5), 20, 0x2000);
            byte[] rest = with(ipv4(15), 20, 10);
            byte[] bySocket = tagged(ipv4(6), 0);
            List<Arrival> arrivals = arrivalsOf(List.of(
                    ipv4(0),
                    with(ipv4(1), 28, 0x0203),
                    withOption,
                    forOther,
                    broken,
                    first,
                    rest,
                    bySocket,
                    tagged(ipv4(7), 7),
                    with(ipv4(8), 32, 0x02ff),
                    with(ipv4(9), 22, 64 << 8 | 51),
                    with(ipv4(10), 14, 0x45ff),
                    ipv6(11)));
            assertEquals(List.of(0, 10), sorted(arrivals, true));
            assertEquals(List.of(1, 2, 5, 6, 8, 9, 11), sorted(arrivals, false));
        });
    }

    private static List<Integer> sorted(List<Arrival> arrivals, boolean byRing) {
        return arrivals.stream()
                .filter(arrival -> arrival.byRing() == byRing)
                .map(Arrival::number)
                .sorted()
                .toList();
    }

    /** Packets of a State that come by both would overtake each other. */
    @Test
    void shouldComeOneWayAlone() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            pass(110);
            arrivalsOf(List.of(with(ipv4(0), 20, 0x2000), with(ipv4(1), 20, 10)));
            assertFalse(comesByRing());
            assertFalse(comesByRing());
            pass(60_001);
            openWay(true);
        });
    }

    /** What waits in the ring came before what comes when its way is closed. */
    @Test
    void shouldKeepTheOrderWhenAWayIsRefused() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            pass(110);
            List<byte[]> frames = new ArrayList<>(burst(true));
            frames.add(with(ipv4(BURST), 20, 0x2000));
            frames.add(with(ipv4(BURST), 20, 10));
            send(frames);
            List<Arrival> arrivals = new ArrayList<>();
            port.await(1000);
            receive(arrivals);
            send(IntStream.range(BURST + 1, 2 * BURST).mapToObj(this::ipv4).toList());
            arrivals.addAll(arrivals());
            assertTrue(arrivals.removeIf(arrival -> arrival.number() == BURST && !arrival.byRing()));
            List<Integer> sent = IntStream.range(0, 2 * BURST)
                    .filter(number -> number != BURST)
                    .boxed()
                    .toList();
            assertEquals(sent, numbers(arrivals));
        });
    }

    /** What waits at the socket by then has no sign, however late it is taken. */
    @Test
    void shouldNotRefuseAWayForWhatCameBeforeItWasOpened() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            pass(10_001);
            arrivals();
            pass(110);
            send(burst(true));
            List<Arrival> arrivals = new ArrayList<>();
            port.await(1000);
            receive(arrivals);
            receive(arrivals);
            pass(110);
            arrivals.addAll(arrivals());
            assertEquals(BURST, arrivals.size());
            assertFalse(arrivals.stream().anyMatch(Arrival::byRing));
            assertTrue(comesByRing());
        });
    }

    /** All comes, though sockets are to be taken first for the one reason and rings for the other. */
    @Test
    void shouldNotStandStillWhenAWayIsClosedAsSoonAsItIsOpened() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            pass(10_001);
            arrivals();
            pass(110);
            send(burst(true));
            List<Arrival> arrivals = new ArrayList<>();
            port.await(1000);
            receive(arrivals);
            receive(arrivals);
            assertTrue(network.exec("nft list tables").contains("ring"), "no way was opened");
            network.ip("route add 203.0.113.0/24 dev veth0");
            arrivals.addAll(arrivals());
            assertEquals(BURST, arrivals.size());
        });
    }

    /** At once; and back when it has gone. */
    @ParameterizedTest
    @CsvSource({
        "nft add table inet others, nft delete table inet others",
        "nft add table ip others, nft delete table ip others",
        "nft add table ip6 others, nft delete table ip6 others",
        "iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT, nft delete table ip filter",
        "ip route add 203.0.113.0/24 dev veth0, ip route del 203.0.113.0/24",
        "ip rule add to 192.0.2.9 prohibit, ip rule del to 192.0.2.9 prohibit",
        "ip addr add 192.0.2.7/24 dev veth0, ip addr del 192.0.2.7/24 dev veth0",
        "sysctl -qw net.ipv4.conf.veth0.rp_filter=1, sysctl -qw net.ipv4.conf.veth0.rp_filter=0",
        "ip link set veth0 mtu 1400, ip link set veth0 mtu 1500",
        "ip link set veth0 mtu 9000, ip link set veth0 mtu 1500",
    })
    void shouldEndWithWhatTheIpLayerMaySayOtherwise(String begin, String end) throws Exception {
        withPort(clock, () -> {
            openWay(true);
            network.exec(begin);
            assertEquals(List.of(), arrivals());
            assertFalse(comesByRing());
            network.exec(end);
            openWay(true);
        });
    }

    /** No packet that came when the rule was there passes, by whatever way. */
    @ParameterizedTest
    @CsvSource({
        "add table inet t;add chain inet t c { type filter hook input priority 0; };"
                + "add rule inet t c ip protocol 50 drop",
        "add table ip t;add chain ip t c { type filter hook prerouting priority 0; };"
                + "add rule ip t c ip protocol 50 drop",
        "add table netdev t;add chain netdev t c { type filter hook ingress device veth0 priority 0; };"
                + "add rule netdev t c ip protocol 50 drop",
    })
    void shouldObeyARuleAtOnce(String rules) throws Exception {
        withPort(clock, () -> {
            openWay(true);
            TestNetwork.need("nft");
            Path file = Files.createTempFile("xb", ".nft");
            Files.writeString(file, rules.replace(";add", "\nadd"));
            network.exec("nft -f " + file);
            Files.delete(file);
            assertEquals(List.of(), arrivalsOf(burst(true)));
            network.exec("nft delete table " + rules.split(" ")[2] + " t");
            openWay(true);
        });
    }

    @Test
    void shouldObeyAFilterOfTheDeviceAtOnce() throws Exception {
        withPort(clock, () -> {
            network.ip("link add xbd0 type veth peer name xbd1");
            openWay(true);
            network.exec("tc qdisc add dev veth0 clsact");
            network.exec("tc filter add dev veth0 ingress protocol ip u32 match ip protocol 50 0xff "
                    + "action mirred egress redirect dev xbd0");
            assertEquals(List.of(), arrivalsOf(burst(true)));
            network.exec("tc qdisc del dev veth0 clsact");
            openWay(true);
        });
    }

    /** Routing and States may look at it. */
    @Test
    void shouldNotTakeWhatHasAMark() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            network.exec("nft add table netdev t");
            network.exec("nft add chain netdev t c { type filter hook ingress device veth0 priority 0; }");
            network.exec("nft add rule netdev t c meta mark set 7");
            assertFalse(comesByRing());
        });
    }

    @Test
    void shouldBeTakenFromNoPortOfABridge() throws Exception {
        withPort(clock, () -> {
            openWay(true);
            network.ip("link add br0 type bridge forward_delay 0");
            network.ip("link set br0 address "
                    + network.exec("cat /sys/class/net/veth0/address").trim());
            network.ip("link set br0 up");
            network.ip("link set veth0 master br0");
            network.ip("addr del 192.0.2.1/24 dev veth0");
            network.ip("addr add 192.0.2.1/24 dev br0");
            for (int tries = 0; arrivalsOf(burst(true)).size() < BURST; tries++) {
                assertTrue(tries < 50, "the bridge does not forward");
                pass(110);
            }
            openWay(true);
            String chains = network.exec("nft list table netdev xfrm-bridge-ring");
            assertTrue(chains.contains("device \"br0\"") && !chains.contains("device \"veth0\""), chains);
        });
    }

    /** Much waits at sockets when a way is opened, and then no processor is free for long. */
    @Test
    void shouldKeepTheOrderWhileItIsSlow() throws Exception {
        withPort(clock, () -> {
            List<Arrival> arrivals = new ArrayList<>();
            for (int tries = 0; arrivals.stream().noneMatch(Arrival::byRing); tries++) {
                assertTrue(tries < 50, "no way is opened");
                arrivals.clear();
                pass(110);
                send(burst(true));
                receive(arrivals);
                receive(arrivals);
                for (int first = BURST; first < 2 * BURST; first += 20) {
                    pass(110);
                    send(IntStream.range(first, first + 20).mapToObj(this::ipv4).toList());
                    receive(arrivals);
                }
                arrivals.addAll(arrivals());
                assertEquals(IntStream.range(0, 2 * BURST).boxed().toList(), numbers(arrivals));
            }
            assertTrue(comesByRing(), "was refused for nothing");
        });
    }

    /** Routes change, and what comes does not lose, repeat or exchange a packet. */
    @Test
    void shouldKeepTheOrderWhileWaysComeAndGo() throws Exception {
        withPort(new SystemClock(), () -> {
            int packets = 30_000;
            CompletableFuture<Void> sending = network.startInThere(() -> {
                for (int from = 0; from < packets; from += 20) {
                    TestNetwork.sendFrames(IntStream.range(from, from + 20)
                            .mapToObj(this::ipv4)
                            .toList());
                    Thread.sleep(4);
                }
                return null;
            });
            CompletableFuture<Void> changing = network.startInThere(() -> {
                for (boolean isThere = false; !sending.isDone(); isThere = !isThere) {
                    Thread.sleep(400);
                    network.ip("route " + (isThere ? "del" : "add") + " 203.0.113.0/24 dev veth0");
                }
                return null;
            });
            List<Arrival> arrivals = new ArrayList<>();
            while (!changing.isDone()) {
                port.await(10);
                receive(arrivals);
            }
            arrivals.addAll(arrivals());
            List<Integer> numbers = numbers(arrivals);
            assertEquals(numbers.stream().sorted().distinct().toList(), numbers);
            assertEquals(packets, numbers.size());
            long changes = IntStream.range(1, arrivals.size())
                    .filter(i -> arrivals.get(i).byRing() != arrivals.get(i - 1).byRing())
                    .count();
            assertTrue(changes >= 4, () -> "ways have changed " + changes + " times");
        });
    }
}
