package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.nft.OthersChains.Flowtables;
import org.xfrmbridge.daemon.nft.OthersChains.Others;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/**
 * What is selected leaves by the TAP alone: judged by the frames on it and on the wire, and by {@code nft list}.
 *
 * <pre>
 *   here: xfrm0 (TAP), veth0 192.0.2.1 --- veth0 192.0.2.2 :there, with 10.9.0.1 and 2001:db8:9::1
 * </pre>
 */
@Timeout(60)
class StackTableTest {
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final int SOURCE_MAC_AT = 6;
    private static final int TYPE_AT = 12;
    private static final int IP_AT = 14;

    private static final Level TO_NET = new Level(Direction.OUT, AddressFamily.INET, 0, 16, true, false, false, 0);
    private static final Level TO_NET6 = new Level(Direction.OUT, AddressFamily.INET6, 0, 48, true, false, false, 0);
    private static final Element PING = new Element(TO_NET, Address.ANY, Address.parse("10.9.0.0"), ICMP, 0, 0, 0);
    private static final Element PING6 =
            new Element(TO_NET6, Address.ANY, Address.parse("2001:db8:9::"), ICMPV6, 0, 0, 0);

    private TestNetwork network;
    private TapDevice device;
    private PacketSocket tap;
    private PacketSocket wire;
    private NetlinkSocket owner;
    private StackTable table;
    private int wireIndex;

    @BeforeEach
    void install() throws Exception {
        network = new TestNetwork();
        TestNetwork.need("nft");
        network.ipThere("addr add 10.9.0.1/32 dev lo");
        network.ipThere("addr add 2001:db8:9::1/128 dev lo");
        network.ip("route add 10.0.0.0/8 via 192.0.2.2");
        network.ip("route add 2001:db8:9::/48 via 2001:db8::2");
        network.inHere(() -> {
            device = TapDevice.open("xfrm0", TapDevice.Offload.NONE);
            network.ip("link set xfrm0 arp off mtu 65521 up");
            for (String family : List.of("-4", "-6")) {
                network.ip(family + " rule add fwmark 0x40000000/0x40000000 lookup 58 pref 50");
                network.ip(family + " route add default dev xfrm0 table 58");
            }
            tap = new PacketSocket("xfrm0");
            owner = NetlinkSocket.toNetfilter();
            table = StackTable.install(
                    StackNames.DEFAULT, index("xfrm0"), StackNames.FIRST_QUEUE, owner, false, none());
            return null;
        });
        wire = TestNetwork.within(network.startInThere(() -> new PacketSocket("veth0")));
        wireIndex = index("veth0");
        table.cover(Set.of(new CoveredDevice(wireIndex, "veth0", true, false, false, 0)), false);
    }

    @AfterEach
    void close() throws Exception {
        if (owner != null) {
            owner.close();
            device.close();
            tap.close();
            wire.close();
        }
        if (network != null) {
            network.close();
        }
    }

    private int index(String name) throws Exception {
        String link = network.ip("-o link show dev " + name);
        return Integer.parseInt(link.substring(0, link.indexOf(':')));
    }

    private static SelectionChange none() {
        return new SelectionChange(List.of(), List.of(), List.of(), Set.of());
    }

    private static SelectionChange add(Element... elements) {
        List<Level> levels =
                List.of(elements).stream().map(Element::level).distinct().toList();
        return new SelectionChange(levels, List.of(elements), List.of(), Set.of());
    }

    /** The frames to or from those addresses since the last call; the kernel's own, to find neighbours, are others. */
    private static List<byte[]> frames(PacketSocket socket, String source, String destination) throws Exception {
        byte[] from = InetAddress.getByName(source).getAddress();
        byte[] to = InetAddress.getByName(destination).getAddress();
        int at = IP_AT + (from.length == 4 ? 12 : 8);
        List<byte[]> found = new ArrayList<>();
        for (byte[] frame = socket.poll(); frame != null; frame = socket.poll()) {
            ByteBuffer bytes = ByteBuffer.wrap(frame);
            if (bytes.getShort(TYPE_AT) == (short) (from.length == 4 ? 0x0800 : 0x86dd)
                    && bytes.slice(at, from.length).equals(ByteBuffer.wrap(from))
                    && bytes.slice(at + from.length, to.length).equals(ByteBuffer.wrap(to))) {
                found.add(frame);
            }
        }
        return found;
    }

    private void ping(String arguments) throws Exception {
        network.exec("sh -c ping${IFS}-n${IFS}-c1${IFS}-W0.2${IFS}" + arguments.replace(" ", "${IFS}")
                + "${IFS}>/dev/null;true");
    }

    @Test
    void shouldListSetsAndRulesAsAPersonWouldWriteThem() throws Exception {
        Level full = new Level(Direction.OUT, AddressFamily.INET, 32, 24, true, false, true, 0xff);
        table.commit(
                add(new Element(full, Address.parse("192.0.2.1"), Address.parse("10.9.0.0"), 17, 0, 53, 0x12), PING6));
        String listed = network.exec("nft list table inet xfrm-bridge");
        for (String line : List.of(
                "set out-ip-32-24-protocol-dport-mark-ff {",
                "type ipv4_addr . ipv4_addr . inet_proto . inet_service . mark",
                "elements = { 192.0.2.1 . 10.9.0.0 . udp . 53 . 0x00000012 }",
                "elements = { 2001:db8:9:: . ipv6-icmp }",
                "ip saddr . ip daddr & 255.255.255.0 . meta l4proto . th dport . meta mark & 0x000000ff "
                        + "@out-ip-32-24-protocol-dport-mark-ff counter packets 0 bytes 0",
                "ip6 daddr & ffff:ffff:ffff:: . meta l4proto @out-ip6-0-48-protocol counter",
                "elements = { \"veth0\" . \"veth0\" }",
                "elements = { esp, ah, ipcomp }")) {
            assertTrue(listed.contains(line), line + " is not in " + listed);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.9.0.1", "-I veth0 10.9.0.1", "2001:db8:9::1", "-I veth0 2001:db8:9::1"})
    void shouldSendWhatIsSelectedToTheTapAlone(String arguments) throws Exception {
        String to = arguments.substring(arguments.lastIndexOf(' ') + 1);
        String from = to.contains(":") ? "2001:db8::1" : "192.0.2.1";
        ping(arguments);
        assertEquals(1, frames(wire, from, to).size(), "nothing is selected");
        table.commit(add(PING, PING6));
        ping("-m 4660 " + arguments);
        List<byte[]> frames = frames(tap, from, to);
        assertEquals(1, frames.size());
        assertEquals(0, frames(wire, from, to).size());
        ByteBuffer frame = ByteBuffer.wrap(frames.getFirst()).order(ByteOrder.nativeOrder());
        assertEquals(0x40001234, frame.getInt(2), "the mark");
        if (arguments.startsWith("-I")) {
            assertEquals(0x02, frame.get(SOURCE_MAC_AT));
            assertEquals(0x49, frame.get(SOURCE_MAC_AT + 1));
            assertEquals(wireIndex, frame.getInt(SOURCE_MAC_AT + 2), "the interface");
        }
        table.commit(none());
        ping(arguments);
        assertEquals(1, frames(wire, from, to).size(), "nothing is selected any more");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no reader",
                "link set xfrm0 down",
                "link delete xfrm0",
                "not covered",
                "link set veth0 name veth9",
                "route flush table 58",
                "rule delete pref 50"
            })
    void shouldLetNothingOutInTheClear(String accident) throws Exception {
        table.commit(add(PING, PING6));
        if (accident.equals("not covered")) {
            table.cover(Set.of(), false);
        } else {
            device.close();
            if (!accident.equals("no reader")) {
                network.ip(accident.equals("link delete xfrm0") ? "link set xfrm0 down" : accident);
            }
        }
        String bound = accident.endsWith("veth9") ? "-I veth9 " : "-I veth0 ";
        for (String way : List.of("10.9.0.1", bound + "10.9.0.1", "2001:db8:9::1", bound + "2001:db8:9::1")) {
            ping(way);
        }
        assertEquals(0, frames(wire, "192.0.2.1", "10.9.0.1").size());
        assertEquals(0, frames(wire, "2001:db8::1", "2001:db8:9::1").size());
        assertTrue(network.ping("192.0.2.2"));
    }

    /** A host that protects nothing pays nothing. */
    @Test
    void shouldEnterNoChainWhereNothingIsSelected() throws Exception {
        List<String> none = hooks();
        assertEquals(List.of(), none);
        table.commit(add(PING));
        assertEquals(
                List.of("egress-" + wireIndex, "identity", "input-unmark", "leaving", "output", "prerouting"),
                hooks().stream().distinct().toList());
        table.forwarding(false);
        assertEquals(List.of("egress-" + wireIndex, "forwarded", "identity", "leaving", "output"), hooks());
        table.beside(new Others(false, true, OptionalInt.empty(), Flowtables.NONE));
        assertTrue(hooks().contains("prerouting"), "marks are the bridge's that others restore");
        table.beside(Others.NONE);
        table.commit(new SelectionChange(
                List.of(), List.of(), List.of(), Set.of(new WideScope(Direction.IN, AddressFamily.INET6))));
        assertEquals(List.of("input"), hooks());
        table.commit(none());
        table.encapsulation(Map.of(4500, 33333));
        assertEquals(List.of("encapsulate", "input"), hooks());
        table.encapsulation(Map.of());
        assertEquals(none, hooks());
    }

    /** Frames between its ports pass chains of the families ip and ip6 where a kernel has br_netfilter. */
    @Test
    void shouldLookForBridgedFramesWhereThereAreBridges() throws Exception {
        table.commit(add(PING));
        assertEquals(1, Collections.frequency(hooks(), "leaving"));
        CoveredDevice bridge = new CoveredDevice(wireIndex + 1, "br0", false, false, true, 0);
        table.cover(Set.of(bridge), false);
        int families = Files.exists(Path.of("/proc/sys/net/bridge")) ? 2 : 0;
        assertEquals(1 + families, Collections.frequency(hooks(), "leaving"));
        table.commit(none());
        assertEquals(0, Collections.frequency(hooks(), "leaving"));
        table.commit(add(PING));
        table.cover(Set.of(), false);
        assertEquals(1, Collections.frequency(hooks(), "leaving"));
    }

    /** The bridge hears of it later than the first packet comes, which source NAT would make another of. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSelectWhatIsForwardedBeforeItIsKnownToBe(boolean wide) throws Exception {
        table.commit(
                wide
                        ? new SelectionChange(
                                List.of(),
                                List.of(),
                                List.of(),
                                Set.of(new WideScope(Direction.OUT, AddressFamily.INET)))
                        : add(new Element(
                                new Level(Direction.OUT, AddressFamily.INET, 0, 16, true, false, false, 0),
                                Address.ANY,
                                Address.parse("10.9.0.0"),
                                17,
                                0,
                                0,
                                0)));
        table.forwarding(false);
        nft("table ip other { chain p { type nat hook postrouting priority 100; oifname veth0 masquerade; }; }");
        network.exec("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.xfrm0.rp_filter=0");
        byte[] frame = datagram(0, 53);
        TapDevice.Channel channel = device.new Channel();
        channel.buffer().put(0, frame);
        assertTrue(channel.write(frame.length));
        Thread.sleep(100);
        assertEquals(0, frames(wire, "192.0.2.1", "10.9.0.1").size(), "in the clear");
        // It came from the TAP, and goes there again.
        assertEquals(2, frames(tap, "10.8.0.1", "10.9.0.1").size());
    }

    /** The chains that a packet of the host enters, but for those of the TAP. */
    private List<String> hooks() throws Exception {
        return Pattern.compile("chain (\\S+) \\{\\s+type")
                .matcher(network.exec("nft list ruleset"))
                .results()
                .map(result -> result.group(1))
                .filter(chain -> !chain.startsWith("tap-"))
                .sorted()
                .toList();
    }

    @Test
    void shouldSelectThoughADeviceIsGone() throws Exception {
        network.ip("link delete veth0");
        table.commit(add(PING));
        assertTrue(hooks().contains("output"));
    }

    /** But where a chain may be gone, none is covered rather than one that has lost it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCoverAsBeforeWhenAChangeIsRefused(boolean anew) throws Exception {
        CoveredDevice first = new CoveredDevice(wireIndex, "veth0", true, false, false, 0);
        CoveredDevice impossible = new CoveredDevice(wireIndex + 1, "of-16-characters", true, false, false, 0);
        table.commit(add(PING));
        assertThrows(OsException.class, () -> table.cover(Set.of(first, impossible), anew));
        assertEquals(anew ? Set.of() : Set.of(first), table.covered());
        String listed = network.exec("nft list ruleset");
        assertEquals(!anew, listed.contains("egress-" + wireIndex));
        assertEquals(!anew, listed.contains("elements = { \"veth0\" . \"veth0\" }"));
        ping("-I veth0 10.9.0.1");
        assertEquals(0, frames(wire, "192.0.2.1", "10.9.0.1").size());
        table.cover(Set.of(first), false);
        assertTrue(hooks().contains("egress-" + wireIndex));
    }

    @Test
    void shouldNoteNothingWhenTheTablesAreRefused() throws Exception {
        table.commit(add(PING));
        Set<CoveredDevice> covered = table.covered();
        StackTable.remove(owner);
        try (NetfilterSocket other = network.inHere(() -> new NetfilterSocket(NetlinkSocket.toNetfilter()))) {
            other.commit(new Batch(Batch.Family.INET, StackNames.TABLE).addTable(2));
            assertThrows(OsException.class, table::restore);
            assertEquals(covered, table.covered());
        }
        table.restore();
        assertEquals(Set.of(), table.covered());
    }

    @Test
    void shouldLeaveLoopbackAlone() throws Exception {
        network.ip("link set lo up");
        table.commit(new SelectionChange(
                List.of(),
                List.of(),
                List.of(),
                Set.of(
                        new WideScope(Direction.OUT, AddressFamily.INET),
                        new WideScope(Direction.OUT, AddressFamily.INET6),
                        new WideScope(Direction.IN, AddressFamily.INET),
                        new WideScope(Direction.IN, AddressFamily.INET6))));
        assertTrue(network.ping("192.0.2.1"));
        assertTrue(network.ping("2001:db8::1"));
    }

    @Test
    void shouldCoverADeviceThatWasMadeAnew() throws Exception {
        table.commit(add(PING));
        network.ip("link delete veth0");
        network.ip("link add veth0 type veth peer name veth1");
        network.ip("link set veth1 up");
        network.ip("link set veth0 up");
        network.ip("addr add 192.0.2.1/24 dev veth0");
        network.ip("neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev veth0");
        network.ip("route add 10.0.0.0/8 via 192.0.2.2");
        PacketSocket other = network.inHere(() -> new PacketSocket("veth1"));
        ping("-I veth0 10.9.0.1");
        assertEquals(0, frames(other, "192.0.2.1", "10.9.0.1").size());
        table.cover(Set.of(new CoveredDevice(index("veth0"), "veth0", true, false, false, 0)), false);
        ping("-I veth0 10.9.0.1");
        assertEquals(0, frames(other, "192.0.2.1", "10.9.0.1").size());
        assertEquals(1, frames(tap, "192.0.2.1", "10.9.0.1").size());
        ping("192.0.2.2");
        assertEquals(1, frames(other, "192.0.2.1", "192.0.2.2").size());
        other.close();
    }

    @Test
    void shouldLetTheBridgesOwnPacketsPass() throws Exception {
        table.commit(add(PING));
        nft("table ip own { chain o { type filter hook output priority 0; meta priority set \"5846:524d\"; }; }");
        assertTrue(network.ping("10.9.0.1"));
    }

    /** Nothing else may leave the host in the clear by it, nor what comes from the bridge go round for ever. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldTakeWhatIsSelectedAlone(boolean selects) throws Exception {
        network.ip("route add 10.8.0.0/16 dev xfrm0");
        network.ip("route add 10.9.0.1/32 dev xfrm0");
        table.commit(selects ? add(PING) : none());
        ping("10.8.0.1");
        assertEquals(0, frames(tap, "192.0.2.1", "10.8.0.1").size());
        ping("-I xfrm0 192.0.2.2");
        assertEquals(0, frames(tap, "192.0.2.1", "192.0.2.2").size());
        ping("10.9.0.1");
        assertEquals(selects ? 1 : 0, frames(tap, "192.0.2.1", "10.9.0.1").size());
    }

    /** It finds routes by marks, and no rule that asks for the device. */
    @Test
    void shouldLetFirewalldFindTheWayBackOfWhatWasOpened() throws Exception {
        nft("table inet firewalld { chain filter_PREROUTING { type filter hook prerouting priority 10;"
                + " meta nfproto ipv6 fib saddr . mark . iif oif missing drop; udp dport 53 counter; }; }");
        nft("table inet other { chain p { type filter hook prerouting priority -150; udp dport 53 meta mark 7 "
                + "counter; };"
                + " chain q { type filter hook prerouting priority 12; udp dport 53 meta mark 7 counter; }; }");
        table.commit(add(PING6));
        table.beside(new Others(false, true, OptionalInt.of(10), Flowtables.NONE));
        ByteBuffer frame = ByteBuffer.allocate(IP_AT + 48).put(tapMac()).putShort((short) StackSigns.MARK_MAC);
        frame.put(
                ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(7).flip());
        frame.putShort((short) 0x86dd).putInt(0x6000_0000).putShort((short) 8).putShort((short) (17 << 8 | 64));
        frame.put(InetAddress.getByName("2001:db8:77::1").getAddress());
        frame.put(InetAddress.getByName("2001:db8::1").getAddress());
        frame.putShort((short) 1).putShort((short) 53).putShort((short) 8);
        TapDevice.Channel channel = device.new Channel();
        channel.buffer().put(0, frame.array());
        assertTrue(channel.write(frame.capacity()));
        String listed = network.exec("nft list table inet firewalld") + network.exec("nft list table inet other");
        assertEquals(
                3,
                Pattern.compile("counter packets 1 ").matcher(listed).results().count(),
                listed);
        table.beside(Others.NONE);
        assertFalse(network.exec("nft list table inet xfrm-bridge").contains("source-check"));
    }

    private byte[] tapMac() throws Exception {
        String mac =
                network.ip("-o link show dev xfrm0").split("link/ether ")[1].substring(0, 17);
        return HexFormat.ofDelimiter(":").parseHex(mac);
    }

    /** A kernel asked to look for the way back by marks must not meet the bridge's, be all selected that leaves. */
    @Test
    void shouldLetInWhereSourcesAreCheckedByMark() throws Exception {
        network.exec("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.all.src_valid_mark=1");
        table.commit(new SelectionChange(
                List.of(), List.of(), List.of(), Set.of(new WideScope(Direction.OUT, AddressFamily.INET))));
        nft("table inet other { chain i { type filter hook input priority 0; icmp type echo-request counter; }; }");
        for (String to : List.of("192.0.2.1", "192.0.2.255", "224.0.0.1")) {
            network.execThere("sh -c ping${IFS}-n${IFS}-b${IFS}-c1${IFS}-W0.2${IFS}-I${IFS}veth0${IFS}" + to
                    + "${IFS}>/dev/null${IFS}2>&1;true");
        }
        String listed = network.exec("nft list table inet other");
        assertTrue(listed.contains("counter packets 3 "), listed);
    }

    private void nft(String rules) throws Exception {
        Path file = Files.createTempFile("xb", ".nft");
        Files.writeString(file, rules);
        network.exec("nft -f " + file);
        Files.delete(file);
    }

    /** As a restored connection mark is. */
    @Test
    void shouldNotBelieveItsBitWhenOthersSetIt() throws Exception {
        table.commit(add(PING));
        nft("table inet other { chain o { type route hook output priority 0; meta mark set 0x40000007; };"
                + " chain p { type filter hook prerouting priority 0; meta mark set 0x40000007; };"
                + " chain q { type filter hook postrouting priority 0; meta mark set meta mark & 0xbfffffff; }; }");
        assertTrue(network.ping("192.0.2.2"));
        assertTrue(network.pingFromThere("192.0.2.1"));
        ping("-I veth0 10.9.0.1");
        assertEquals(0, frames(wire, "192.0.2.1", "10.9.0.1").size());
    }

    @Test
    void shouldSelectWhatSourceNatMakes() throws Exception {
        Level fromOne = new Level(Direction.OUT, AddressFamily.INET, 32, 16, false, false, false, 0);
        network.ip("addr add 203.0.113.5/32 dev lo");
        nft("table ip other { chain p { type nat hook postrouting priority 100; oifname veth0 masquerade; }; }");
        table.commit(add(new Element(fromOne, Address.parse("192.0.2.1"), Address.parse("10.9.0.0"), 0, 0, 0, 0)));
        ping("-I 203.0.113.5 10.9.0.1");
        assertEquals(0, frames(wire, "192.0.2.1", "10.9.0.1").size());
        assertEquals(1, frames(tap, "192.0.2.1", "10.9.0.1").size());
    }

    /**
     * What passed is another packet then, and may be one that a policy protects; it comes back, and passes for good.
     */
    @ParameterizedTest
    @CsvSource({"5846:524e, 192.0.2.1, 1, 0", "5846:524f, 203.0.113.5, 0, 1", "5846:524d, 192.0.2.1, 0, 1"})
    void shouldSelectOnceMoreWhatPassedAndIsTranslated(String priority, String source, int onTap, int onWire)
            throws Exception {
        network.ip("addr add 203.0.113.5/32 dev lo");
        table.commit(new SelectionChange(
                List.of(), List.of(), List.of(), Set.of(new WideScope(Direction.OUT, AddressFamily.INET))));
        nft("table ip other { chain o { type filter hook output priority -400; meta priority set \"" + priority
                + "\"; }; chain p { type nat hook postrouting priority 100; snat to 192.0.2.1; }; }");
        table.beside(new Others(true, true, OptionalInt.empty(), Flowtables.NONE));
        ping("-I 203.0.113.5 10.9.0.1");
        List<byte[]> selected = frames(tap, source, "10.9.0.1");
        assertEquals(onTap, selected.size());
        for (byte[] frame : selected) {
            assertEquals(StackSigns.TRANSLATED_MARK_MAC, ByteBuffer.wrap(frame).getShort(0), "it would go round");
        }
        assertEquals(onWire, frames(wire, source, "10.9.0.1").size());
        table.beside(Others.NONE);
        assertFalse(network.exec("nft list table inet xfrm-bridge").contains("ct status"));
    }

    @Test
    void shouldKeepTheSourceOfWhatIsSelected() throws Exception {
        network.ip("addr add 203.0.113.5/32 dev lo");
        nft("table ip other { chain p { type nat hook postrouting priority 100; masquerade; }; }");
        table.commit(add(PING));
        network.ip("addr add 198.51.100.9/32 dev xfrm0");
        ping("-I 203.0.113.5 10.9.0.1");
        assertEquals(1, frames(tap, "203.0.113.5", "10.9.0.1").size());
    }

    /** Which its sender has chosen: the source address is another device's, and the route, too. */
    @Test
    void shouldKeepTheDeviceOfAMulticast() throws Exception {
        network.ip("addr add 203.0.113.5/32 dev lo");
        table.commit(new SelectionChange(
                List.of(), List.of(), List.of(), Set.of(new WideScope(Direction.OUT, AddressFamily.INET))));
        network.inHere(() -> {
            try (DatagramSocket sender = new DatagramSocket(0, InetAddress.getByName("203.0.113.5"))) {
                sender.setOption(StandardSocketOptions.IP_MULTICAST_IF, NetworkInterface.getByName("veth0"));
                sender.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("224.0.0.251"), 5353));
            }
            return null;
        });
        List<byte[]> frames = frames(tap, "203.0.113.5", "224.0.0.251");
        assertEquals(1, frames.size());
        assertEquals(
                wireIndex,
                ByteBuffer.wrap(frames.getFirst())
                        .order(ByteOrder.nativeOrder())
                        .getInt(SOURCE_MAC_AT + 2));
    }

    /** Of fragments every one: the second shows no port, and the first alone is of no use. */
    @ParameterizedTest
    @CsvSource({"0, 53", "0x2000, 54", "3, 54"})
    void shouldSelectFragmentsWhereAPortCounts(String fragmentField, int port) throws Exception {
        Level ports = new Level(Direction.OUT, AddressFamily.INET, 0, 16, true, false, true, 0);
        table.commit(add(new Element(ports, Address.ANY, Address.parse("10.9.0.0"), 17, 0, 53, 0)));
        network.exec("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.xfrm0.rp_filter=0");
        byte[] frame = datagram(Integer.decode(fragmentField), port);
        TapDevice.Channel channel = device.new Channel();
        channel.buffer().put(0, frame);
        assertTrue(channel.write(frame.length));
        Thread.sleep(100);
        assertEquals(0, frames(wire, "10.8.0.1", "10.9.0.1").size());
        // It came from the TAP, and goes there again.
        assertEquals(2, frames(tap, "10.8.0.1", "10.9.0.1").size());
    }

    /** From 10.8.0.1 to 10.9.0.1, UDP, to a port. */
    private byte[] datagram(int fragmentField, int port) throws Exception {
        ByteBuffer frame = ByteBuffer.allocate(IP_AT + 28);
        frame.put(tapMac());
        frame.position(TYPE_AT).putShort((short) 0x0800);
        frame.putShort((short) 0x4500).putShort((short) 28).putShort((short) 1).putShort((short) fragmentField);
        frame.put((byte) 64)
                .put((byte) 17)
                .putShort((short) 0)
                .putInt(0x0a080001)
                .putInt(0x0a090001);
        int sum = IntStream.range(0, 10)
                .map(i -> Short.toUnsignedInt(frame.getShort(IP_AT + 2 * i)))
                .sum();
        frame.putShort(IP_AT + 10, (short) ~((sum & 0xffff) + (sum >>> 16)));
        frame.putShort((short) 1).putShort((short) port).putShort((short) 8).putShort((short) 0);
        return frame.array();
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1", "2001:db8::1"})
    void shouldGiveEncapsulatedEspToTheOtherSocket(String address) throws Exception {
        table.encapsulation(Map.of(4500, 33333));
        DatagramSocket[] sockets =
                network.inHere(() -> new DatagramSocket[] {new DatagramSocket(4500), new DatagramSocket(33333)});
        TestNetwork.within(network.startInThere(() -> {
            try (DatagramSocket sender = new DatagramSocket()) {
                for (byte[] data : List.of(
                        "ESP with an SPI and more".getBytes(),
                        "\0\0\0\0an IKE message is this".getBytes(),
                        new byte[] {(byte) 0xff},
                        "short".getBytes())) {
                    sender.send(new DatagramPacket(data, data.length, InetAddress.getByName(address), 4500));
                }
            }
            return null;
        }));
        assertEquals(List.of("\0\0\0\0an IKE message is this", "short"), received(sockets[0]));
        assertEquals(List.of("ESP with an SPI and more"), received(sockets[1]));
        table.encapsulation(Map.of());
        assertFalse(network.exec("nft list table inet xfrm-bridge").contains("33333"));
    }

    private static List<String> received(DatagramSocket socket) throws Exception {
        List<String> texts = new ArrayList<>();
        socket.setSoTimeout(300);
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        try (socket) {
            while (true) {
                socket.receive(packet);
                texts.add(new String(packet.getData(), 0, packet.getLength()));
            }
        } catch (SocketTimeoutException e) {
            return texts;
        }
    }

    /** Packets that wait for a judge are lost when chains are written anew, and nobody judges here. */
    @Test
    void shouldAskOfWhatIsForwardedAboutErrorsAlone() throws Exception {
        network.exec("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        network.ip("link add veth8 type veth peer name veth9");
        network.ip("link set veth8 up");
        network.ip("link set veth9 up");
        for (String[] net : new String[][] {
            {"198.51.100.1/24", "198.51.100.2", "192.0.2.1"}, {"2001:db8:8::1/64", "2001:db8:8::2", "2001:db8::1"}
        }) {
            network.ip("addr add " + net[0] + " dev veth8");
            network.ip("neigh add " + net[1] + " lladdr 02:00:00:00:00:09 dev veth8");
            network.ipThere("route add " + net[1] + " via " + net[2]);
        }
        Level level = new Level(Direction.FWD, AddressFamily.INET, 0, 16, true, false, false, 0);
        Level level6 = new Level(Direction.FWD, AddressFamily.INET6, 0, 48, true, false, false, 0);
        table.commit(add(
                new Element(level, Address.ANY, Address.parse("10.7.0.0"), 17, 0, 0, 0),
                new Element(level6, Address.ANY, Address.parse("2001:db8:7::"), 17, 0, 0, 0)));
        PacketSocket onward = network.inHere(() -> new PacketSocket("veth9"));
        String types = "8 0 3 11 5";
        assertEquals("8 0 5", forwarded(onward, "192.0.2.2", "198.51.100.2", types));
        String types6 = "128 129 1 2 3 4";
        assertEquals("128 129 4", forwarded(onward, "2001:db8::2", "2001:db8:8::2", types6));
        onward.close();
    }

    /** Which ICMP messages of these types, sent from there, are forwarded. */
    private String forwarded(PacketSocket onward, String from, String to, String types) throws Exception {
        Path program = Files.writeString(Files.createTempFile("xb", ".py"), """
                import socket, sys
                s = socket.socket(socket.AF_%s, socket.SOCK_RAW, %s)
                for kind in sys.argv[1:]:
                    s.sendto(bytes([int(kind), 0]) + bytes(62), ("%s", 0))
                """.formatted(
                        to.contains(":") ? "INET6" : "INET", to.contains(":") ? ICMPV6 : ICMP, to));
        network.execThere("python3 " + program + ' ' + types);
        Files.delete(program);
        network.pingFromThere(to.contains(":") ? "2001:db8::1" : "192.0.2.1");
        List<String> seen = new ArrayList<>();
        for (byte[] frame : frames(onward, from, to)) {
            seen.add(String.valueOf(Byte.toUnsignedInt(frame[IP_AT + (to.contains(":") ? 40 : 20)])));
        }
        return String.join(" ", seen);
    }

    /** One more than {@code nft} has types for. */
    @Test
    void shouldLookUpAllFields() throws Exception {
        Level all = new Level(Direction.OUT, AddressFamily.INET, 32, 24, true, true, true, 0xff);
        table.commit(add(new Element(all, Address.parse("192.0.2.1"), Address.parse("10.9.0.0"), 17, 500, 53, 0)));
        network.inHere(() -> {
            for (int port : new int[] {500, 501}) {
                try (DatagramSocket sender = new DatagramSocket(port)) {
                    sender.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("10.9.0.1"), 53));
                }
            }
            return null;
        });
        assertEquals(1, frames(tap, "192.0.2.1", "10.9.0.1").size());
        assertEquals(1, frames(wire, "192.0.2.1", "10.9.0.1").size());
    }

    @Test
    void shouldTakeAChangeAsAWholeOrNotAtAll() throws Exception {
        table.commit(add(PING));
        List<String> before = ruleset();
        Element other = new Element(TO_NET, Address.ANY, Address.parse("10.7.0.0"), ICMP, 0, 0, 0);
        OsException refusal = assertThrows(
                OsException.class,
                () -> table.commit(
                        new SelectionChange(List.of(TO_NET, TO_NET6), List.of(PING6), List.of(other), Set.of())));
        assertEquals(
                "delete element out-ip-0-16-protocol of table inet xfrm-bridge: No such file or directory",
                refusal.getMessage());
        assertEquals(before, ruleset());
        table.commit(add(PING));
    }

    @Test
    void shouldBeMadeAnewWithAllThatIsSelected() throws Exception {
        table.commit(add(PING));
        table.encapsulation(Map.of(4500, 33333));
        List<String> before = ruleset();
        StackTable.remove(owner);
        assertEquals("", network.exec("nft list ruleset"));
        assertFalse(table.isThere());
        table.restore();
        table.cover(Set.of(new CoveredDevice(index("veth0"), "veth0", true, false, false, 0)), false);
        assertEquals(before, ruleset());
        assertTrue(table.isThere());
        network.inHere(() -> StackTable.install(StackNames.DEFAULT, index("xfrm0"), 1, owner, false, none()));
        assertFalse(network.exec("nft list ruleset").contains("10.9.0.0"));
    }

    /** A table of no owner may be deleted by anybody, and a change then fails, before that is heard of. */
    @Test
    void shouldNotTakeWhatTheBarrierWritesForTheTable() throws Exception {
        Batch batch = new Batch(Batch.Family.INET, StackNames.TABLE).deleteTable();
        new NetfilterSocket(owner).commit(batch);
        assertFalse(table.isThere());
        table.shut();
        assertFalse(table.isThere());
        table.restore();
        assertTrue(table.isThere());
        assertFalse(network.ping("192.0.2.2"), "it is still shut");
        table.open();
        assertTrue(network.ping("192.0.2.2"));
    }

    /** In no order, as tables have none, and without what was counted. */
    private List<String> ruleset() throws Exception {
        return network.exec("nft list ruleset")
                .replaceAll("packets \\d+ bytes \\d+", "")
                .lines()
                .sorted()
                .toList();
    }

    @Test
    void shouldTakeMoreElementsThanAMessageHolds() throws Exception {
        Level level = new Level(Direction.OUT, AddressFamily.INET, 0, 32, false, false, false, 0);
        List<Element> many = IntStream.range(0, 20_000)
                .mapToObj(i -> new Element(level, Address.ANY, Address.ofIpv4(0x0a090000 + i), 0, 0, 0, 0))
                .toList();
        table.commit(add(many.toArray(Element[]::new)));
        ping("10.9.0.1");
        assertEquals(0, frames(wire, "192.0.2.1", "10.9.0.1").size());
        table.commit(new SelectionChange(List.of(level), List.of(), many.subList(1, many.size()), Set.of()));
        assertTrue(network.exec("nft list set inet xfrm-bridge out-ip-0-32").contains("elements = { 10.9.0.0 }"));
        assertTrue(network.ping("10.9.0.1"));
    }
}
