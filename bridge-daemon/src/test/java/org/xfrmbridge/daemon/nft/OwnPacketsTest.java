package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.port.IpSocketPort;
import org.xfrmbridge.daemon.port.NoInboundShortcuts;
import org.xfrmbridge.daemon.port.NoShortcuts;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/**
 * What the bridge gives back leaves by the wire and nothing else does, whatever priorities rules of others set: judged
 * by the frames of the TAP and of the wire.
 */
@Timeout(60)
class OwnPacketsTest {
    private static final int UDP = 17;
    private static final int IP_AT = Ethernet.HEADER_BYTES;
    private static final SelectionChange ALL = new SelectionChange(
            List.of(),
            List.of(),
            List.of(),
            Set.of(
                    new WideScope(Direction.OUT, AddressFamily.INET),
                    new WideScope(Direction.OUT, AddressFamily.INET6)));
    private static final SelectionChange SETS = change(
            new Element(
                    new Level(Direction.OUT, AddressFamily.INET, 0, 16, true, false, false, 0),
                    Address.ANY,
                    Address.parse("192.0.0.0"),
                    UDP,
                    0,
                    0,
                    0),
            new Element(
                    new Level(Direction.OUT, AddressFamily.INET6, 0, 32, true, false, false, 0),
                    Address.ANY,
                    Address.parse("2001:db8::"),
                    UDP,
                    0,
                    0,
                    0));

    private final TestNetwork network = new TestNetwork();
    private TapDevice device;
    private PacketSocket tap;
    private PacketSocket wire;
    private NetlinkSocket owner;
    private StackTable table;
    private IpSocketPort port;

    OwnPacketsTest() throws Exception {}

    private static SelectionChange change(Element... elements) {
        return new SelectionChange(
                List.of(elements).stream().map(Element::level).toList(), List.of(elements), List.of(), Set.of());
    }

    @BeforeEach
    void install() throws Exception {
        TestNetwork.need("nft");
        network.ip("neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev veth0");
        network.ip("neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev veth0");
        network.inHere(() -> {
            device = TapDevice.open("xfrm0", TapDevice.Offload.NONE);
            network.ip("link set xfrm0 arp off mtu 65521 up");
            for (String family : List.of("-4", "-6")) {
                network.ip(family + " rule add fwmark 0x40000000/0x40000000 lookup 58 pref 50");
                network.ip(family + " route add default dev xfrm0 table 58");
            }
            tap = new PacketSocket("xfrm0");
            wire = new PacketSocket("veth0");
            owner = NetlinkSocket.toNetfilter();
            table = StackTable.install(
                    StackNames.DEFAULT,
                    index("xfrm0"),
                    StackNames.FIRST_QUEUE,
                    owner,
                    IpSocket.haveGroups(),
                    SelectionChange.nothing());
            port = new IpSocketPort(NoShortcuts::new, NoInboundShortcuts::new, true);
            return null;
        });
        table.cover(Set.of(veth0()), false);
    }

    private CoveredDevice veth0() throws Exception {
        return new CoveredDevice(index("veth0"), "veth0", true, false, false, 0);
    }

    private int index(String name) throws Exception {
        String link = network.ip("-o link show dev " + name);
        return Integer.parseInt(link.substring(0, link.indexOf(':')));
    }

    @AfterEach
    void close() throws Exception {
        if (port != null) {
            port.close();
            port.release();
            owner.close();
            device.close();
            tap.close();
            wire.close();
        }
        network.close();
    }

    private void nft(String rules) throws Exception {
        Path file = Files.createTempFile("xb", ".nft");
        Files.writeString(file, rules);
        network.exec("nft -f " + file);
        Files.delete(file);
    }

    /** A chain of others that gives every packet a priority. */
    private void setPriority(String hook, int at, String priority) throws Exception {
        nft("table inet other { chain %s-%d { type filter hook %s priority %d; meta priority set \"%s\"; }; }"
                .formatted(hook, at + 1000, hook, at, priority));
    }

    /** As they have what is sent in the clear, whatever becomes of what leaves. */
    @ParameterizedTest
    @CsvSource({"192.0.2.1, 239.1.1.1", "2001:db8::1, ff15::1"})
    void shouldGiveAMulticastOnceToWhoListensHere(String from, String group) throws Exception {
        table.commit(ALL);
        InetSocketAddress address = new InetSocketAddress(group, 2222);
        try (MulticastSocket listener = network.inHere(() -> new MulticastSocket(2222))) {
            network.inHere(() -> {
                NetworkInterface by = NetworkInterface.getByName("veth0");
                listener.joinGroup(address, by);
                try (MulticastSocket sender = new MulticastSocket(new InetSocketAddress(from, 1111))) {
                    sender.setOption(StandardSocketOptions.IP_MULTICAST_IF, by);
                    sender.send(new DatagramPacket(new byte[1], 1, address));
                }
                return null;
            });
            assertEquals(1, datagrams(tap, 2222));
            send(Origin.STACK, from, group);
            assertEquals(1, datagrams(wire, 2222));
            assertEquals(1, received(listener));
        }
    }

    private static int received(MulticastSocket socket) throws Exception {
        socket.setSoTimeout(300);
        int received = 0;
        try {
            while (true) {
                socket.receive(new DatagramPacket(new byte[1], 1));
                received++;
            }
        } catch (SocketTimeoutException e) {
            return received;
        }
    }

    private void send(Origin origin, String from, String to) throws Exception {
        byte[] source = InetAddress.getByName(from).getAddress();
        byte[] destination = InetAddress.getByName(to).getAddress();
        boolean ipv4 = source.length == 4;
        int header = ipv4 ? 20 : 40;
        byte[] packet = new byte[header + 8];
        Bytes.putI32(packet, 0, ipv4 ? 0x4500_0000 : 0x6000_0000);
        Bytes.putI32(packet, 4, ipv4 ? 0x1234_0000 : 8 << 16 | UDP << 8 | 64);
        System.arraycopy(source, 0, packet, ipv4 ? 12 : 8, source.length);
        System.arraycopy(destination, 0, packet, ipv4 ? 16 : 24, source.length);
        Bytes.putI32(packet, header, 1111 << 16 | 2222);
        Bytes.putI32(packet, header + 4, 8 << 16);
        long pseudo = Checksum.add(0, source, 0, source.length) + Checksum.add(0, destination, 0, source.length);
        Bytes.putU16(packet, header + 6, Checksum.finish(Checksum.add(pseudo + UDP + 8, packet, header, 8)));
        if (ipv4) {
            Bytes.putU16(packet, 8, 64 << 8 | UDP);
            Ipv4.finish(packet, 0, packet.length);
        }
        PacketBuffer frame = new PacketBuffer();
        frame.ensureCapacity(IP_AT + packet.length);
        frame.length = IP_AT + packet.length;
        frame.origin = origin;
        frame.ifindex = InetAddress.getByName(to).isMulticastAddress() ? index("veth0") : 0;
        Bytes.putU16(frame.data, frame.offset + Ethernet.TYPE, ipv4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        System.arraycopy(packet, 0, frame.data, frame.offset + IP_AT, packet.length);
        PacketBatch batch = new PacketBatch(1);
        batch.add(frame);
        network.inHere(() -> {
            port.send(batch);
            return null;
        });
    }

    /** Datagrams to that port since the last call. */
    private static int datagrams(PacketSocket socket, int toPort) throws Exception {
        int found = 0;
        for (byte[] frame = socket.poll(); frame != null; frame = socket.poll()) {
            int header = frame[IP_AT] >>> 4 == 4 ? 20 : 40;
            int protocol = frame[IP_AT + (header == 20 ? 9 : 6)];
            if (protocol == UDP && Bytes.u16(frame, IP_AT + header + 2) == toPort) {
                found++;
            }
        }
        return found;
    }

    @ParameterizedTest
    @CsvSource({
        "output, -500, 1:10",
        "output, 100, 1:10",
        "postrouting, -150, 1:10",
        "postrouting, 85, 1:10",
        "postrouting, 300, 1:10",
        "output, 100, none",
        "postrouting, -150, none",
        "postrouting, 300, none",
    })
    void shouldLetTheBridgesOwnPassWithThePriorityOfOthers(String hook, int at, String priority) throws Exception {
        setPriority(hook, at, priority);
        nft("table netdev other { chain e { type filter hook egress device veth0 priority 1; udp dport 2222 "
                + "meta priority \"%s\" counter; }; }".formatted(priority));
        int sent = 0;
        for (SelectionChange selected : List.of(SETS, ALL)) {
            table.commit(selected);
            for (Origin origin : List.of(Origin.BRIDGE, Origin.STACK, Origin.STACK_TRANSLATED)) {
                send(origin, "192.0.2.1", "192.0.2.2");
                send(origin, "2001:db8::1", "2001:db8::2");
                assertEquals(0, datagrams(tap, 2222), "it would go round");
                assertEquals(2, datagrams(wire, 2222), origin.name());
                sent += 2;
            }
        }
        String seen = network.exec("nft list table netdev other");
        assertTrue(seen.contains("counter packets " + sent + " "), "on the wire the priority is theirs: " + seen);
    }

    @ParameterizedTest
    @CsvSource({"output, -500", "output, 100", "postrouting, -150", "postrouting, 300"})
    void shouldNotBelieveThePriorityWhenOthersSetIt(String hook, int at) throws Exception {
        setPriority(hook, at, "5846:524d");
        for (SelectionChange selected : List.of(SETS, ALL)) {
            table.commit(selected);
            for (String to : List.of("192.0.2.2", "2001:db8::2")) {
                network.exec("python3 -c import\tsocket;socket.socket(socket.AF_INET%s,2).sendto(b'x',('%s',2222))"
                        .formatted(to.contains(":") ? "6" : "", to));
            }
            assertEquals(0, datagrams(wire, 2222), "in the clear");
            assertEquals(2, datagrams(tap, 2222));
        }
    }

    /** A tunnel's packet has the socket of what is in it. */
    @ParameterizedTest
    @ValueSource(strings = {"", "output", "postrouting"})
    void shouldSelectWhatATunnelMakesOfItsOwn(String hook) throws Exception {
        addTunnel();
        if (!hook.isEmpty()) {
            setPriority(hook, 0, "1:10");
        }
        table.cover(Set.of(veth0(), new CoveredDevice(index("vxlan9"), "vxlan9", true, true, false, 0)), false);
        for (SelectionChange selected : List.of(SETS, ALL)) {
            table.commit(selected);
            send(Origin.STACK, "10.7.0.1", "10.7.0.2");
            assertEquals(0, datagrams(wire, 4789), "in the clear");
            assertEquals(1, datagrams(tap, 4789));
        }
    }

    private void addTunnel() throws Exception {
        network.ip("link add vxlan9 type vxlan id 9 local 192.0.2.1 remote 192.0.2.2 dstport 4789");
        network.exec("sysctl -qw net.ipv6.conf.vxlan9.disable_ipv6=1");
        network.ip("link set vxlan9 up");
        network.ip("addr add 10.7.0.1/24 dev vxlan9");
        network.ip("neigh add 10.7.0.2 lladdr 02:00:00:00:00:09 dev vxlan9");
    }

    @Test
    void shouldSendNothingByATunnelThatIsNotKnownYet() throws Exception {
        addTunnel();
        table.commit(SETS);
        send(Origin.STACK, "10.7.0.1", "10.7.0.2");
        assertEquals(0, datagrams(wire, 4789));
        assertEquals(0, datagrams(tap, 4789));
    }
}
