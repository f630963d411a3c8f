package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.nft.Guard;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.nft.StackTable;
import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.ReceivedMessages;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.daemon.status.Part;
import org.xfrmbridge.daemon.status.Place;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/** Judged by the text of {@code ip} and {@code nft}, in a namespace of its own. */
@Timeout(60)
class StackUnderlayTest {
    private static final StackPlan PLAN = new StackPlan(StackNames.DEFAULT, 0, false, true);

    @TempDir
    private Path directory;

    private TestNetwork network;
    private String before;

    @BeforeEach
    void configure() throws Exception {
        network = new TestNetwork();
        before = snapshot();
    }

    @AfterEach
    void remove() throws Exception {
        network.close();
    }

    private String snapshot() throws Exception {
        return network.ip("-br link")
                + network.ip("-br addr")
                + network.ip("rule")
                + network.ip("-6 rule")
                + network.ip("route show table all")
                + network.ip("-6 route show table all")
                + network.exec("nft list tables");
    }

    private static void selectAll(Underlay underlay) throws Exception {
        Set<WideScope> all = Set.of(
                new WideScope(Direction.OUT, AddressFamily.INET), new WideScope(Direction.OUT, AddressFamily.INET6));
        ((StackUnderlay) underlay).selectionTable().commit(new SelectionChange(List.of(), List.of(), List.of(), all));
    }

    @Test
    void shouldLeaveNothingWhenDetached() throws Exception {
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            assertFalse(network.ip("rule").contains("lookup 58"), "it would cost every packet of the host");
            selectAll(underlay);
            underlay.leave();
            assertTrue(network.ip("rule").contains("fwmark 0x40000000/0x40000000 lookup 58"));
            assertTrue(network.exec("nft list tables").contains("table inet xfrm-bridge"));
            assertEquals("nothing of the bridge is left in the host's stack", Underlay.detach(directory));
            assertNull(Underlay.detach(directory));
            return null;
        });
        assertEquals(before, snapshot());
    }

    @Test
    void shouldBeTakenUpAgainWhenTheProcessDied() throws Exception {
        network.inHere(() -> {
            Underlay.attach(PLAN, directory).leave();
            network.ip("link delete xfrm0");
            Underlay again = Underlay.attach(PLAN, directory);
            String rules = network.exec("nft list chain inet xfrm-bridge select-ip");
            assertTrue(rules.contains("mark set"), "all is selected until the policies are known: " + rules);
            again.close();
            return null;
        });
        assertEquals(before, snapshot());
    }

    /** The host need not lose its network because a bridge has wrong options. */
    @Test
    void shouldSelectAsBeforeWhenAStartFails() throws Exception {
        network.inHere(() -> {
            Underlay dead = Underlay.attach(PLAN, directory);
            ((StackUnderlay) dead).selectionTable().commit(toNet());
            dead.leave();
            String left = rules();
            Underlay failing = Underlay.attach(PLAN, directory);
            failing.giveUp(true);
            assertEquals(left, rules());
            assertTrue(network.ping("192.0.2.2"));
            Underlay next = Underlay.attach(PLAN, directory);
            ((StackUnderlay) next).encapsulate(Set.of(4500));
            ((StackUnderlay) next).selectionTable().commit(toNet());
            String rules = rules();
            assertTrue(rules.contains("10.9.0.0") && rules.contains("4500"), rules);
            assertEquals(List.of("veth0"), next.status().covered());
            assertTrue(network.ping("192.0.2.2"));
            next.close();
            return null;
        });
        assertEquals(before, snapshot());
    }

    private String rules() throws Exception {
        return network.ip("rule") + network.exec("nft list ruleset").replaceAll("packets \\d+ bytes \\d+", "");
    }

    /** As where a container starts again whose directory stayed. */
    @Test
    void shouldNotTakeTheTablesOfANamespaceThatWasLeft() throws Exception {
        network.inHere(() -> {
            Underlay.attach(PLAN, directory).leave();
            return null;
        });
        try (TestNetwork next = new TestNetwork()) {
            next.inHere(() -> {
                Underlay underlay = Underlay.attach(PLAN, directory);
                assertTrue(next.exec("nft list tables").contains("table inet xfrm-bridge"));
                underlay.close();
                return null;
            });
        }
    }

    /** Where it could not be told what is to be protected. */
    @Test
    void shouldOpenWhatADeadBridgeShut() throws Exception {
        network.inHere(() -> {
            StackUnderlay shut = (StackUnderlay) Underlay.attach(PLAN, directory);
            shut.barrier().close();
            assertTrue(network.ip("rule").contains("48:"));
            shut.leave();
            Underlay again = Underlay.attach(PLAN, directory);
            assertFalse(network.ip("rule").contains("48:"));
            again.close();
            return null;
        });
    }

    /** What a flowtable carries looks for its way anew when there has been another rule. */
    @Test
    void shouldEndFlowsByARuleForNothing() throws Exception {
        network.inHere(() -> {
            StackRoutes routes = new StackRoutes(new RouteSocket(), StackNames.DEFAULT);
            routes.install(new Links(new RouteSocket()).find("veth0"));
            String rules = network.ip("rule") + network.ip("-6 rule");
            Process monitor = new ProcessBuilder("ip", "monitor", "rule").start();
            try (BufferedReader lines = monitor.inputReader()) {
                while (!lines.ready()) {
                    routes.endFlows();
                    Thread.sleep(20);
                }
                Set<String> seen = new HashSet<>();
                for (int i = 0; i < 4; i++) {
                    seen.add(lines.readLine().strip());
                }
                assertEquals(Set.of("52:\tfrom all nop", "Deleted 52:\tfrom all nop"), seen);
            } finally {
                monitor.destroy();
            }
            assertEquals(rules, network.ip("rule") + network.ip("-6 rule"));
            return null;
        });
    }

    /** Nobody's rules see such a flow any more; whatever its route has been, a policy for it must. */
    @ParameterizedTest
    @ValueSource(strings = {"by routes", "between bridges", "masqueraded", "all is selected"})
    void shouldTakeOutOfOthersFlowtablesWhatAPolicyIsFor(String how) throws Exception {
        needFlowtables();
        String way = how.equals("between bridges") ? "br1" : "veth8";
        makeRouter(way);
        DatagramSocket sender = TestNetwork.within(network.startInThere(DatagramSocket::new));
        network.inHere(() -> {
            PacketSocket wire = new PacketSocket("veth9");
            StackUnderlay underlay = (StackUnderlay) Underlay.attach(PLAN, directory);
            if (how.equals("masqueraded")) {
                nft("table ip nat { chain c { type nat hook postrouting priority 100; oifname veth8 masquerade; }; }");
            }
            nft("table inet fast { flowtable f { hook ingress priority 0; devices = { veth0, veth8 }; };"
                    + " chain c { type filter hook forward priority 0; meta l4proto udp counter flow add @f; }; }");
            underlay.keepClosed();
            assertEquals(5, sent(sender, wire, 5));
            String rules = network.exec("nft list table inet fast");
            assertFalse(rules.contains("packets 5 "), "nothing is carried past the chains: " + rules);
            if (how.equals("all is selected")) {
                selectAll(underlay);
            } else {
                underlay.selectionTable().commit(toNet());
            }
            assertEquals(0, sent(sender, wire, 0), "in the clear");
            underlay.selectionTable().commit(SelectionChange.nothing());
            assertEquals(5, sent(sender, wire, 5));
            underlay.close();
            wire.close();
            return null;
        });
        sender.close();
    }

    /** As a kernel that protects it does, and some programs ask for checks by mark without being asked. */
    @Test
    void shouldForwardWhereSourcesAreCheckedStrictlyAndByMark() throws Exception {
        makeRouter("veth8");
        network.ip("route add 10.7.0.0/16 via 198.51.100.2");
        network.exec("nft add table ip test");
        network.exec("nft add chain ip test c { type filter hook forward priority 0 ; }");
        network.exec("nft add rule ip test c iifname veth0 oifname xfrm0 counter");
        DatagramSocket sender = TestNetwork.within(network.startInThere(DatagramSocket::new));
        network.inHere(() -> {
            PacketSocket wire = new PacketSocket("veth9");
            StackUnderlay underlay = (StackUnderlay) Underlay.attach(PLAN, directory);
            underlay.selectionTable().commit(toNet());
            String rules = network.ip("rule");
            network.exec("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.veth0.src_valid_mark=1");
            underlay.keepClosed();
            assertEquals(0, sent(sender, wire, 0));
            String counted = network.exec("nft list table ip test");
            assertTrue(counted.contains("counter packets 5 "), counted);
            PacketSocket tap = new PacketSocket("xfrm0");
            underlay.hosts().getFirst().send(datagramToNet());
            assertEquals(2, datagrams(tap, 2), "it comes from a tunnel and goes into one");
            underlay.barrier().close();
            assertFalse(network.ip("rule").contains("goto"), "it would lead past the barrier");
            underlay.keepClosed();
            assertFalse(network.ip("rule").contains("goto"));
            underlay.barrier().open();
            underlay.keepClosed();
            assertTrue(network.ip("rule").contains("goto 53"));
            network.exec("sysctl -qw net.ipv4.conf.all.rp_filter=2");
            underlay.keepClosed();
            assertEquals(rules, network.ip("rule"));
            underlay.close();
            tap.close();
            wire.close();
            return null;
        });
        sender.close();
    }

    /** Where a policy wants protected what a socket waits for that is bound to an interface. */
    @Test
    void shouldHandOnByAnInterfaceWhatWasOpenedAndNothingElse() throws Exception {
        DatagramSocket stranger = TestNetwork.within(network.startInThere(DatagramSocket::new));
        network.inHere(() -> {
            StackUnderlay underlay = (StackUnderlay) Underlay.attach(PLAN, directory);
            Set<WideScope> in = Set.of(new WideScope(Direction.IN, AddressFamily.INET));
            underlay.selectionTable().commit(new SelectionChange(List.of(), List.of(), List.of(), in));
            int index = new Links(new RouteSocket()).find("veth0").index();
            assertTrue(underlay.takesOpened(index));
            try (IpSocket bound = IpSocket.udpReceiver(AddressFamily.INET, 1234, false)) {
                bound.bindTo(index);
                ReceivedMessages received = new ReceivedMessages();
                stranger.send(new DatagramPacket(new byte[4], 4, InetAddress.getByName("192.0.2.1"), 1234));
                underlay.hosts().getFirst().send(datagramToThis(0));
                assertTrue(received.receive(bound) < 1, "by the TAP");
                underlay.hosts().getFirst().send(datagramToThis(index));
                assertEquals(1, received.receive(bound));
                assertTrue(received.read(0));
                assertEquals(index, received.ifindex());
                assertEquals(0x1234, received.mark());
            }
            network.ip("link delete veth0");
            underlay.keepClosed();
            assertFalse(underlay.takesOpened(index));
            underlay.close();
            return null;
        });
        stranger.close();
    }

    /** From 10.7.0.1, as it was opened. */
    private static PacketBatch datagramToThis(int ifindex) {
        PacketBatch batch = frame("0800" + "4500001c000000004011aec80a070001c0000201" + "04d204d200080000");
        batch.get(0).ifindex = ifindex;
        batch.get(0).mark = 0x1234;
        return batch;
    }

    /** From 10.7.0.1 to 10.9.0.1. */
    private static PacketBatch datagramToNet() {
        return frame("0800" + "4500001c00000000401166c00a0700010a090001" + "04d204d200080000");
    }

    /** From its type on. */
    private static PacketBatch frame(String hex) {
        PacketBuffer frame = new PacketBuffer();
        byte[] packet = HexFormat.of().parseHex(hex);
        System.arraycopy(packet, 0, frame.data, frame.offset + Ethernet.TYPE, packet.length);
        frame.length = Ethernet.TYPE + packet.length;
        PacketBatch batch = new PacketBatch(1);
        batch.add(frame);
        return batch;
    }

    /** Whether or not this kernel has them, the guest of GuestLinksScenario does. */
    private void needFlowtables() throws Exception {
        TestNetwork.need("nft");
        try {
            nft("table inet fast { flowtable f { hook ingress priority 0; devices = { lo }; }; };");
        } catch (AssertionError e) {
            abort("needs a kernel with flowtables");
        }
        network.exec("nft delete table inet fast");
    }

    /** From there to 10.9.0.1, by this host and that device to veth9. */
    private void makeRouter(String way) throws Exception {
        network.exec(
                "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0");
        network.ip("link add veth8 type veth peer name veth9");
        network.ip("link set veth8 up");
        network.ip("link set veth9 up");
        if (way.equals("br1")) {
            network.ip("link add br0 type bridge");
            network.ip("link add br1 type bridge");
            network.ip("link set veth0 master br0");
            network.ip("link set veth8 master br1");
            network.ip("addr del 192.0.2.1/24 dev veth0");
            network.ip("addr add 192.0.2.1/24 dev br0");
            network.ip("link set br0 up");
            network.ip("link set br1 up");
            network.exec("bridge fdb replace 02:00:00:00:00:09 dev veth8 master static");
        }
        network.ip("addr add 198.51.100.1/24 dev " + way);
        network.ip("neigh add 198.51.100.2 lladdr 02:00:00:00:00:09 dev " + way);
        network.ip("route add 10.9.0.0/16 via 198.51.100.2");
        network.ipThere("route add 10.9.0.0/16 via 192.0.2.1");
        assertTrue(network.pingFromThere("192.0.2.1"));
    }

    private static SelectionChange toNet() {
        Level level = new Level(Direction.OUT, AddressFamily.INET, 0, 16, false, false, false, 0);
        Element element = new Element(level, Address.ANY, Address.parse("10.9.0.0"), 0, 0, 0, 0);
        return new SelectionChange(List.of(level), List.of(element), List.of(), Set.of());
    }

    /** How many of five datagrams to 10.9.0.1 are on the wire; a ping gives those time that are not expected. */
    private int sent(DatagramSocket sender, PacketSocket wire, int expected) throws Exception {
        while (wire.poll() != null) {}
        for (int i = 0; i < 5; i++) {
            sender.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("10.9.0.1"), 9));
        }
        network.pingFromThere("192.0.2.1");
        return datagrams(wire, expected);
    }

    private static int datagrams(PacketSocket wire, int expected) throws Exception {
        int datagrams = 0;
        long endNs = System.nanoTime() + 10_000_000_000L;
        do {
            for (byte[] frame = wire.poll(); frame != null; frame = wire.poll()) {
                ByteBuffer bytes = ByteBuffer.wrap(frame);
                boolean isIpv4 = bytes.getShort(Ethernet.TYPE) == 0x0800;
                datagrams += isIpv4 && bytes.getInt(Ethernet.HEADER_BYTES + 16) == 0x0a090001 ? 1 : 0;
            }
        } while (datagrams < expected && System.nanoTime() < endNs);
        return datagrams;
    }

    private void nft(String rules) throws Exception {
        Path file = Files.writeString(directory.resolve("rules.nft"), rules);
        network.exec("nft -f " + file);
        Files.delete(file);
    }

    /** Where the tables cannot be told what to select. */
    @Test
    void shouldLetNothingPassWhileItIsShut() throws Exception {
        PacketSocket wire = TestNetwork.within(network.startInThere(() -> new PacketSocket("veth0")));
        network.inHere(() -> {
            StackUnderlay underlay = (StackUnderlay) Underlay.attach(PLAN, directory);
            assertTrue(isReceived());
            underlay.barrier().close();
            underlay.barrier().close();
            network.exec("nft flush ruleset");
            packets(wire);
            for (String way : List.of("192.0.2.2", "-I veth0 192.0.2.2", "2001:db8::2", "-I veth0 2001:db8::2")) {
                assertFalse(network.ping(way), way);
            }
            assertEquals(0, packets(wire));
            assertFalse(isReceived());
            assertTrue(network.ping("192.0.2.1"));
            assertTrue(network.ping("2001:db8::1"));
            underlay.barrier().open();
            assertTrue(network.ping("192.0.2.2"));
            assertTrue(network.ping("-I veth0 2001:db8::2"));
            assertTrue(isReceived());
            underlay.close();
            return null;
        });
        wire.close();
        assertEquals(before, snapshot());
    }

    /** How many packets of this host have come there since the last call. */
    private int packets(PacketSocket wire) throws Exception {
        byte[] mac = HexFormat.ofDelimiter(":")
                .parseHex(network.ip("-o link show dev veth0")
                        .split("link/ether ")[1]
                        .substring(0, 17));
        int packets = 0;
        for (byte[] frame = wire.poll(); frame != null; frame = wire.poll()) {
            boolean isIp = frame[12] == 0x08 && frame[13] == 0 || frame[12] == (byte) 0x86;
            if (isIp && Arrays.equals(frame, 6, 12, mac, 0, 6)) {
                packets++;
            }
        }
        return packets;
    }

    /** Whether a datagram that comes from there reaches its socket. */
    private boolean isReceived() throws Exception {
        try (DatagramSocket socket = new DatagramSocket(5555)) {
            socket.setSoTimeout(500);
            TestNetwork.within(network.startInThere(() -> {
                try (DatagramSocket sender = new DatagramSocket()) {
                    sender.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("192.0.2.1"), 5555));
                }
                return null;
            }));
            socket.receive(new DatagramPacket(new byte[1], 1));
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    @Test
    void shouldMakeAgainWhatSomebodyTookAway() throws Exception {
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            selectAll(underlay);
            String whole = network.ip("rule") + network.ip("route show table 58") + network.ip("-br link show xfrm0");
            network.ip("rule del pref 50");
            network.ip("route flush table 58");
            network.ip("link delete xfrm0");
            underlay.keepClosed();
            assertEquals(
                    whole, network.ip("rule") + network.ip("route show table 58") + network.ip("-br link show xfrm0"));
            network.ip("link set xfrm0 down");
            network.ip("link set xfrm0 name other");
            underlay.keepClosed();
            assertEquals(
                    whole, network.ip("rule") + network.ip("route show table 58") + network.ip("-br link show xfrm0"));
            network.ip("link add br0 type bridge");
            network.ip("link set xfrm0 master br0");
            underlay.keepClosed();
            assertFalse(network.ip("link show xfrm0").contains("master"));
            network.ip("link delete br0");
            underlay.close();
            return null;
        });
        assertEquals(before, snapshot());
    }

    /** As a device that was moved to another namespace, and lives on. */
    @Test
    void shouldCoverNewDevicesWhereItsOwnCannotBeMadeAgain() throws Exception {
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            network.ip("link set xfrm0 down");
            network.ip("link set xfrm0 name other");
            network.ip("link add xfrm0 type bridge");
            network.ip("link add br9 type bridge");
            network.ip("link set br9 up");
            underlay.keepClosed();
            assertTrue(underlay.status().covered().contains("br9"));
            underlay.close();
            return null;
        });
    }

    /** udev does that, as sysctl.d says, and network managers of a device that they take for theirs. */
    @Test
    void shouldTakeInWhatComesByItsDeviceWhateverOthersSet() throws Exception {
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            String settings = "sysctl net.ipv4.conf.xfrm0.rp_filter net.ipv6.conf.xfrm0.disable_ipv6";
            String whole = network.exec(settings) + network.ip("-6 route show table 58");
            network.exec("sysctl -qw net.ipv4.conf.xfrm0.rp_filter=2 net.ipv6.conf.xfrm0.disable_ipv6=1");
            underlay.keepClosed();
            assertEquals(whole, network.exec(settings) + network.ip("-6 route show table 58"));
            network.exec("sysctl -qw net.ipv4.conf.all.rp_filter=1");
            underlay.keepClosed();
            String addresses = network.ip("-4 -br addr show dev xfrm0");
            assertTrue(addresses.contains("/32"), addresses);
            network.ip("addr flush dev xfrm0");
            underlay.keepClosed();
            assertEquals(addresses, network.ip("-4 -br addr show dev xfrm0"));
            underlay.close();
            return null;
        });
    }

    @Test
    void shouldTryAgainWhatCouldNotBeEncapsulated() throws Exception {
        network.inHere(() -> {
            StackUnderlay underlay = (StackUnderlay) Underlay.attach(PLAN, directory);
            underlay.encapsulate(Set.of(4500));
            try (Guard guard = Guard.open(directory)) {
                StackTable.remove(guard.socket());
            }
            assertThrows(OsException.class, () -> underlay.encapsulate(Set.of(4501)));
            assertEquals(List.of(4500), underlay.status().encapsulationPorts());
            underlay.keepClosed();
            assertEquals(List.of(4501), underlay.status().encapsulationPorts());
            String rules = network.exec("nft list table inet xfrm-bridge");
            assertTrue(rules.contains("4501") && !rules.contains("4500"), rules);
            underlay.close();
            return null;
        });
    }

    /** systemd-networkd sets it for the devices that its files name. */
    @Test
    void shouldForwardIfAnyDeviceForwards() throws Exception {
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            for (int forwards : new int[] {0, 1, 0}) {
                network.exec("sysctl -qw net.ipv4.conf.veth0.forwarding=" + forwards);
                underlay.keepClosed();
                assertEquals(forwards + "\n", network.exec("sysctl -n net.ipv4.conf.xfrm0.forwarding"));
            }
            underlay.close();
            return null;
        });
    }

    /** A chain that nobody needs costs every packet; it is there as soon as somebody may. */
    @ParameterizedTest
    @CsvSource({
        "sysctl -qw net.ipv4.conf.veth0.forwarding=1, inet xfrm-bridge prerouting",
        "sysctl -qw net.ipv6.conf.all.forwarding=1, inet xfrm-bridge prerouting",
        "nft, inet xfrm-bridge prerouting",
        "ip link add br0 type bridge, ip xfrm-bridge leaving"
    })
    void shouldHearOfWhatAsksForMoreChains(String command, String chain) throws Exception {
        network.exec("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            selectAll(underlay);
            assertFalse(hasChain(chain));
            if (command.startsWith("nft")) {
                network.exec("nft add table ip other");
                network.exec("nft add chain ip other c {type filter hook prerouting priority 0;}");
            } else {
                network.exec(command);
            }
            for (EventSource source : underlay.eventSources().values()) {
                source.handleEvents();
            }
            boolean isNeeded = !command.startsWith("ip link") || Files.exists(Path.of("/proc/sys/net/bridge"));
            assertEquals(isNeeded, hasChain(chain));
            underlay.close();
            return null;
        });
    }

    private boolean hasChain(String chain) throws Exception {
        String[] words = chain.split(" ");
        return network.exec("nft list ruleset " + words[0]).contains("chain " + words[2] + " {");
    }

    /** What it would tell has the packet's beginning in it, and is of nobody's policy. */
    @Test
    void shouldNotTellOfAShorterWayWhatComesAndGoesByItsDevice() throws Exception {
        network.inHere(() -> {
            network.exec("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
            network.exec("sysctl -qw net.ipv4.conf.all.rp_filter=2");
            network.ip("route add 10.7.0.0/16 via 192.0.2.2 dev veth0");
            network.ip("route add 2001:db8:7::/48 via 2001:db8::2 dev veth0");
            // What is routed to a device that cannot be looked at is sent to the bridge's by routing.
            network.ip("tuntap add tun9 mode tun");
            network.ip("link set tun9 up");
            network.ip("route add 10.8.0.0/16 dev tun9");
            network.ip("route add 2001:db8:8::/48 dev tun9");
            network.exec("nft add table inet test");
            network.exec("nft add chain inet test forward { type filter hook forward priority 0 ; }");
            network.exec("nft add rule inet test forward iifname xfrm0 oifname xfrm0 counter");
            network.exec("nft add chain inet test output { type filter hook output priority 0 ; }");
            network.exec("nft add rule inet test output icmp type redirect counter");
            network.exec("nft add rule inet test output icmpv6 type nd-redirect counter");
            Underlay underlay = Underlay.attach(PLAN, directory);
            network.ip("addr add fe80::9/64 dev xfrm0");
            selectAll(underlay);
            underlay.hosts()
                    .getFirst()
                    .send(frame("0800" + "4500001c00000000401166c10a0700010a080001" + "04d204d200080000"));
            underlay.hosts()
                    .getFirst()
                    .send(frame("86dd" + "60000000000811402001" + "0db8000700000000000000000001" + "2001"
                            + "0db8000800000000000000000001" + "04d204d200089ab7"));
            String counted = network.exec("nft list table inet test");
            assertTrue(counted.contains("oifname \"xfrm0\" counter packets 2 "), counted);
            assertTrue(counted.contains("icmp type redirect counter packets 0 "), counted);
            assertTrue(counted.contains("icmpv6 type nd-redirect counter packets 0 "), counted);
            underlay.close();
            return null;
        });
    }

    @Test
    void shouldTellWhatIsNotAsItShouldBe() throws Exception {
        network.ip("tuntap add tun9 mode tun");
        network.ip("link set tun9 up");
        before = snapshot();
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            Place whole = underlay.status();
            assertEquals(List.of(), faults(whole));
            assertEquals(List.of("veth0"), whole.covered());
            assertEquals(List.of("tun9"), whole.uncovered());
            selectAll(underlay);
            assertEquals(List.of(), faults(underlay.status()));
            network.ip("rule del pref 50");
            network.ip("-6 rule del pref 51");
            network.ip("-6 route flush table 58");
            network.ip("link set xfrm0 down");
            List<String> wrong = List.of(
                    "is down",
                    "without rule 50 of IPv4, the route of table 58 of IPv4, "
                            + "rule 51 of IPv6, the route of table 58 of IPv6");
            assertEquals(wrong, faults(underlay.status()));
            underlay.leave();
            assertEquals(wrong, faults(Underlay.left(directory)));
            Underlay.detach(directory);
            assertNull(Underlay.left(directory));
            return null;
        });
        assertEquals(before, snapshot());
    }

    private static List<String> faults(Place place) {
        return place.parts().stream().map(Part::fault).filter(Objects::nonNull).toList();
    }

    @Test
    void shouldRefuseTheOtherKindOfAttachment() throws Exception {
        network.inHere(() -> {
            Underlay underlay = Underlay.attach(PLAN, directory);
            String reason = assertThrows(
                            AttachmentException.class,
                            () -> Underlay.attach(new WirePlan(DeviceNames.of("veth0", "xfrm1"), true), directory))
                    .getMessage();
            assertTrue(reason.contains("run without --attach"), reason);
            underlay.close();
            return null;
        });
    }
}
