package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.port.Shortcuts.Shortcut;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;

/** What the IP layer would do is what {@code ip} and {@code nft} have told a real kernel. */
@Timeout(60)
class StackShortcutsTest {
    private static final String THERE = "192.0.2.2";
    private static final String FAR = "198.51.100.7";
    private static final String OTHER_MAC = "02:aa:bb:cc:dd:ee";
    private static final int MARK = 7;
    private static final int MARK_BIT = 0x40000000;

    private final ManualClock clock = new ManualClock();
    private TestNetwork network;
    private StackShortcuts shortcuts;

    private interface Work {
        void run() throws Exception;
    }

    private void withShortcuts(Work work) throws Exception {
        try (TestNetwork made = new TestNetwork()) {
            network = made;
            network.inHere((Callable<Void>) () -> {
                network.ip("route add 198.51.100.0/24 via " + THERE);
                network.ip("-6 route add 2001:db8:1::/48 via 2001:db8::2");
                permit(macThere(), "permanent");
                network.ip("-6 neigh replace 2001:db8::2 dev veth0 nud permanent lladdr " + macThere());
                try (StackShortcuts opened = new StackShortcuts(clock, MARK_BIT)) {
                    shortcuts = opened;
                    settle();
                    work.run();
                }
                return null;
            });
        }
    }

    /** A kernel tells of interfaces and addresses that are new for a while. */
    private void settle() throws Exception {
        int quiet = 0;
        for (int tries = 0; quiet < 10; tries++) {
            assertTrue(tries < 200, "the kernel tells of changes all the time");
            Thread.sleep(20);
            quiet = next(THERE) == null ? 0 : quiet + 1;
            pass(quiet == 0 ? 110 : 0);
        }
    }

    private void permit(String mac, String state) throws Exception {
        network.ip("neigh replace " + THERE + " dev veth0 nud " + state + " lladdr " + mac);
    }

    private String macThere() throws Exception {
        return network.execThere("cat /sys/class/net/veth0/address").trim();
    }

    private Shortcut next(String to, int mark) {
        boolean isIpv4 = to.contains(".");
        Address address = Address.parse(to);
        Address here = Address.parse(isIpv4 ? "192.0.2.1" : "2001:db8::1");
        PacketBuffer frame = new PacketBuffer();
        byte[] data = frame.data;
        int ip = frame.offset + Ethernet.HEADER_BYTES;
        frame.length = Ethernet.HEADER_BYTES + 80;
        Bytes.putU16(data, frame.offset + Ethernet.TYPE, isIpv4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        if (isIpv4) {
            Bytes.putU16(data, ip, 0x4500);
            Bytes.putU16(data, ip + Ipv4.TTL, 64 << 8 | 50);
            Bytes.putI32(data, ip + Ipv4.SOURCE, here.ipv4());
            Bytes.putI32(data, ip + Ipv4.DESTINATION, address.ipv4());
            Ipv4.finish(data, ip, 80);
        } else {
            Bytes.putI32(data, ip, 6 << 28);
            Ipv6.putTotalLength(data, ip, 80);
            Bytes.putU16(data, ip + Ipv6.NEXT_HEADER, 50 << 8 | 64);
            Bytes.putI64(data, ip + Ipv6.SOURCE, here.high());
            Bytes.putI64(data, ip + Ipv6.SOURCE + 8, here.low());
            Bytes.putI64(data, ip + Ipv6.DESTINATION, address.high());
            Bytes.putI64(data, ip + Ipv6.DESTINATION + 8, address.low());
        }
        IpPacket packet = new IpPacket();
        assertEquals(IpPacket.Kind.IP, packet.parse(frame));
        shortcuts.look();
        return shortcuts.find(packet, mark);
    }

    private Shortcut next(String to) {
        return next(to, 0);
    }

    private void pass(int ms) {
        clock.advanceNs(ms * 1_000_000L);
    }

    private static void assertMac(String expected, Shortcut actual) {
        assertNotNull(actual);
        byte[] mac = new byte[6];
        MacAddress.write(mac, 0, actual.mac());
        StringBuilder text = new StringBuilder();
        for (byte part : mac) {
            text.append(text.isEmpty() ? "" : ":").append("%02x".formatted(part));
        }
        assertEquals(expected, text.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {THERE, FAR, "2001:db8::2", "2001:db8:1::7"})
    void shouldLeadToTheNextHop(String to) throws Exception {
        withShortcuts(() -> {
            Shortcut shortcut = next(to);
            assertMac(macThere(), shortcut);
            String index = network.exec("cat /sys/class/net/veth0/ifindex").trim();
            assertEquals(index, Integer.toString(shortcut.ifindex()));
        });
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1", // of the host itself
        "192.0.2.255", // a broadcast
        "224.0.0.5", // a multicast
        "203.0.113.1", // no route
        "192.0.2.9", // no such neighbour
        "2001:db8::1",
        "ff02::5"
    })
    void shouldLeadNowhereElse(String to) throws Exception {
        withShortcuts(() -> {
            assertNull(next(to));
            assertNotNull(next(THERE));
        });
    }

    /** Each by itself, at once; and back when it has gone. */
    @ParameterizedTest
    @CsvSource({
        "nft add table inet others, nft delete table inet others",
        "nft add table ip others, nft delete table ip others",
        "nft add table ip6 others, nft delete table ip6 others",
        "iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT, nft delete table ip filter",
        "ip route add blackhole 192.0.2.2, ip route del blackhole 192.0.2.2",
        "ip rule add to 192.0.2.2 prohibit, ip rule del to 192.0.2.2 prohibit",
        "ip rule add ipproto udp lookup 77, ip rule del ipproto udp lookup 77",
        "ip -6 rule add ipproto esp lookup 77, ip -6 rule del ipproto esp lookup 77",
        "ip route add 192.0.2.2 encap ip id 1 dst 192.0.2.2 dev veth0, ip route del 192.0.2.2",
        "ip neigh replace 192.0.2.2 dev veth0 nud stale, ip neigh replace 192.0.2.2 dev veth0 nud reachable",
        "ip neigh replace 192.0.2.2 dev veth0 nud failed, MAC",
    })
    void shouldEndWithWhatTheIpLayerHasToDo(String begin, String end) throws Exception {
        withShortcuts(() -> {
            assertNotNull(next(THERE));
            network.exec(begin);
            assertNull(next(THERE), begin);
            pass(110);
            assertNull(next(THERE), begin);
            if (end.equals("MAC")) {
                permit(macThere(), "permanent");
            } else {
                network.exec(end);
            }
            settle();
            assertMac(macThere(), next(THERE));
        });
    }

    @Test
    void shouldNotBeEndedByRulesForFrames() throws Exception {
        withShortcuts(() -> {
            network.exec("nft add table netdev others");
            network.exec("nft add table bridge others");
            settle();
        });
    }

    @Test
    void shouldNotBeEndedByRulesOfTheBridgeItself() throws Exception {
        withShortcuts(() -> {
            for (String table : List.of("inet xfrm-bridge", "ip xfrm-bridge", "netdev xfrm-bridge-ring")) {
                network.exec("nft add table " + table);
                network.exec("nft add set " + table + " s { type ipv4_addr; }");
                network.exec("nft add element " + table + " s { 192.0.2.2 }");
                assertNotNull(next(THERE));
            }
        });
    }

    /** Nobody tells of these. */
    @Test
    void shouldEndSoonWithRulesOfTheOlderIptables() throws Exception {
        TestNetwork.need("iptables-legacy");
        withShortcuts(() -> {
            assertNotNull(next(THERE));
            try {
                network.exec("iptables-legacy -A OUTPUT -p esp -j DROP");
            } catch (AssertionError e) {
                Assumptions.abort("this kernel has no older iptables");
            }
            pass(110);
            assertNull(next(THERE));
        });
    }

    @Test
    void shouldFollowTheNeighbourAtOnce() throws Exception {
        withShortcuts(() -> {
            assertMac(macThere(), next(FAR));
            permit(OTHER_MAC, "reachable");
            assertMac(OTHER_MAC, next(FAR));
        });
    }

    @Test
    void shouldTakeTheWayOfTheMark() throws Exception {
        withShortcuts(() -> {
            network.ip("link add xbd0 type veth peer name xbd1");
            network.ip("link set xbd0 up");
            network.ip("link set xbd1 up");
            network.ip("neigh replace 203.0.113.1 dev xbd0 nud permanent lladdr " + OTHER_MAC);
            network.ip("route add 203.0.113.1 dev xbd0 table 77");
            network.ip("route add default via 203.0.113.1 dev xbd0 onlink table 77");
            network.ip("rule add fwmark " + MARK + " lookup 77");
            settle();
            assertMac(macThere(), next(FAR));
            assertMac(OTHER_MAC, next(FAR, MARK));
        });
    }

    /** By it rules and egress would lead to the TAP, and round for ever. */
    @Test
    void shouldLeadNothingWithTheBitOfTheBridge() throws Exception {
        withShortcuts(() -> {
            assertNull(next(THERE, MARK_BIT | MARK));
            assertNotNull(next(THERE, MARK));
        });
    }

    /** A host whose routes change all the time loses more by asking than it gains. */
    @Test
    void shouldRestAfterAChange() throws Exception {
        withShortcuts(() -> {
            assertNotNull(next(FAR));
            network.ip("route add 203.0.113.0/24 via " + THERE);
            assertNull(next(FAR));
            pass(90);
            assertNull(next(FAR));
            pass(20);
            assertNotNull(next(FAR));
        });
    }

    @Test
    void shouldAskNoMoreThanThereIsTimeFor() throws Exception {
        withShortcuts(() -> {
            pass(110);
            int foundAtOnce = 0;
            for (int i = 0; i < 200; i++) {
                foundAtOnce += next("198.51.100." + (1 + i)) == null ? 0 : 1;
            }
            assertEquals(64, foundAtOnce);
            pass(110);
            assertNotNull(next("198.51.100.150"));
            assertNotNull(next("198.51.100.2"), "it is still known");
        });
    }
}
