package org.xfrmbridge.daemon.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** Against a real kernel's tables, in a namespace. */
@Timeout(60)
class WireNetworkTest {
    private static final int INET = AddressFamily.INET;
    private static final int INET6 = AddressFamily.INET6;
    private static final int NO_MARK = 0;
    private static final String ATTACHED = "under";

    private static boolean isLocal(KernelNetwork network, int family, String address) {
        Address parsed = Address.parse(address);
        return network.isLocal(family, parsed.high(), parsed.low());
    }

    private static Link link() throws Exception {
        try (RouteSocket socket = new RouteSocket()) {
            return new Links(socket).find("veth0");
        }
    }

    @Test
    void shouldKnowTheHostsAddresses() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    for (String local : new String[] {
                        "192.0.2.1", "192.0.2.255", "127.0.0.1", "127.3.2.1", "224.0.0.251", "255.255.255.255"
                    }) {
                        assertTrue(isLocal(kernel, INET, local), local);
                    }
                    for (String local : new String[] {"2001:db8::1", "::1", "ff02::1"}) {
                        assertTrue(isLocal(kernel, INET6, local), local);
                    }
                    assertFalse(isLocal(kernel, INET, "192.0.2.2"));
                    assertFalse(isLocal(kernel, INET6, "2001:db8::2"));
                    int before = kernel.generation();
                    network.ip("addr add 192.0.2.50/24 dev veth0");
                    kernel.handleEvents();
                    assertNotEquals(before, kernel.generation());
                    assertTrue(isLocal(kernel, INET, "192.0.2.50"));
                }
                return null;
            });
        }
    }

    @Test
    void shouldResolveThroughRouteAndNeighbour() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("route add 198.51.100.0/24 via 192.0.2.9 mtu 1400");
            network.inHere(() -> {
                Link link = link();
                try (KernelNetwork kernel = new WireNetwork(link.index(), ATTACHED)) {
                    Address there = Address.parse("198.51.100.7");
                    assertEquals(Address.parse("192.0.2.1"), kernel.sourceFor(INET, there));
                    assertNull(kernel.sourceFor(INET, Address.parse("203.0.113.1")));
                    assertNull(kernel.resolve(INET, Address.ANY, there, NO_MARK));
                    kernel.handleEvents();
                    int before = kernel.generation();
                    network.ip("neigh replace 192.0.2.9 lladdr 02:00:00:00:00:09 dev veth0");
                    kernel.handleEvents();
                    assertNotEquals(before, kernel.generation());
                    assertEquals(
                            new NextHop(link.mac(), 0x0200_0000_0009L, 1400),
                            kernel.resolve(INET, Address.ANY, there, NO_MARK));
                    assertNull(kernel.resolve(INET, Address.ANY, Address.parse("127.0.0.1"), NO_MARK));
                }
                return null;
            });
        }
    }

    @Test
    void shouldKnowTheNextHopsOfAllRoutes() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("route add 198.51.100.0/24 via 192.0.2.3 table 77");
            network.ip("route add 203.0.113.0/24 nexthop via 192.0.2.4 nexthop via 192.0.2.5");
            network.ip("nexthop add id 9 via 192.0.2.6 dev veth0");
            network.ip("nexthop add id 10 via 2001:db8::6 dev veth0");
            network.ip("route add 198.51.101.0/24 via inet6 2001:db8::7 dev veth0");
            network.ip("route add 198.51.102.0/24 nexthop via inet6 2001:db8::8 dev veth0 nexthop via 192.0.2.7");
            network.ip("-6 route add 2001:db8:9::/48 via 2001:db8::9 table 78");
            network.ip("-6 route add 2001:db8:8::/48 nexthop via 2001:db8::a nexthop via fe80::b dev veth0");
            String[] hops = {
                "192.0.2.3",
                "192.0.2.4",
                "192.0.2.5",
                "192.0.2.6",
                "192.0.2.7",
                "2001:db8::6",
                "2001:db8::7",
                "2001:db8::8",
                "2001:db8::9",
                "2001:db8::a",
                "fe80::b"
            };
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    for (String hop : hops) {
                        assertTrue(isNextHop(kernel, hop), hop);
                    }
                    assertFalse(isNextHop(kernel, "192.0.2.2"));
                    assertFalse(isNextHop(kernel, "198.51.100.7"));
                    network.ip("route add 198.51.103.0/24 via 192.0.2.2");
                    assertTrue(isNextHop(kernel, "192.0.2.2"), "as soon as the route is there");
                    network.ip("nexthop add id 11 via 192.0.2.12 dev veth0");
                    assertTrue(isNextHop(kernel, "192.0.2.12"));
                    network.ip("route del 198.51.103.0/24");
                    assertTrue(isNextHop(kernel, "192.0.2.2"));
                    kernel.refresh();
                    assertFalse(isNextHop(kernel, "192.0.2.2"), "it has gone");
                    kernel.resolve(INET, Address.ANY, Address.parse("192.0.2.2"), NO_MARK);
                    assertTrue(isNextHop(kernel, "192.0.2.2"), "outer packets go there");
                }
                return null;
            });
        }
    }

    @Test
    void shouldFollowTheInterfaceWhosePlaceItHas() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("link add under index 100 type veth peer name over");
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    assertEquals(100, kernel.attachedIndex());
                    network.ip("link del under");
                    kernel.handleEvents();
                    assertEquals(100, kernel.attachedIndex());
                    int before = kernel.generation();
                    network.ip("link add under index 101 type veth peer name over");
                    kernel.handleEvents();
                    assertEquals(101, kernel.attachedIndex());
                    assertNotEquals(before, kernel.generation());
                    assertEquals(1500, kernel.linkMtuBytes());
                }
                return null;
            });
        }
    }

    @Test
    void shouldTellNetworksOfItsAddressesFromRoutesWithoutAGateway() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("route add 10.2.0.0/16 dev veth0 table 220");
            network.ip("rule add table 220");
            network.ip("-6 route add fd02::/64 dev veth0");
            network.ip("-6 route add fd03::/64 dev veth0 proto ra");
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    assertTrue(kernel.isOnSubnet(INET, Address.parse("192.0.2.9")));
                    assertTrue(kernel.isOnSubnet(INET6, Address.parse("2001:db8::9")));
                    assertTrue(kernel.isOnSubnet(INET6, Address.parse("fe80::9")));
                    assertTrue(kernel.isOnSubnet(INET6, Address.parse("fd03::9")));
                    assertFalse(kernel.isOnSubnet(INET, Address.parse("10.2.0.1")));
                    assertFalse(kernel.isOnSubnet(INET6, Address.parse("fd02::1")));
                    assertTrue(kernel.isOnSubnet(INET, Address.parse("203.0.113.1")), "nobody knows the way");
                }
                return null;
            });
        }
    }

    private static boolean isNextHop(KernelNetwork kernel, String address) {
        return kernel.isNextHop(address.contains(":") ? INET6 : INET, Address.parse(address));
    }

    @Test
    void shouldSendNoOuterPacketToTheAddressOfNobody() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            String nobody = MacAddress.toText(HostNetwork.TUNNEL_NEIGHBOUR_MAC);
            network.ip("neigh replace 192.0.2.2 lladdr " + nobody + " dev veth0 nud reachable");
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    assertNull(kernel.resolve(INET, Address.ANY, Address.parse("192.0.2.2"), NO_MARK));
                    assertFalse(network.ip("neigh show 192.0.2.2").contains("02:58"), "it is asked for anew");
                }
                return null;
            });
        }
    }

    @Test
    void shouldFollowTheRulesForAMark() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("rule add fwmark 7 table 100");
            network.ip("route add 198.51.100.0/24 via 192.0.2.9 table 100");
            network.ip("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev veth0");
            network.inHere(() -> {
                Link link = link();
                try (KernelNetwork kernel = new WireNetwork(link.index(), ATTACHED)) {
                    Address there = Address.parse("198.51.100.7");
                    assertNull(kernel.resolve(INET, Address.ANY, there, NO_MARK));
                    assertEquals(
                            new NextHop(link.mac(), 0x0200_0000_0009L, 1500),
                            kernel.resolve(INET, Address.ANY, there, 7));
                }
                return null;
            });
        }
    }

    /**
     * The host learns it from our own answers about packets that became too big for a tunnel: taken as the outer MTU,
     * it would shrink each time.
     */
    @Test
    void shouldPassOverMtusThatTheHostHasLearntOfADestination() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("route add 198.51.100.0/24 via 192.0.2.2");
            network.ip("route add 2001:db8:9::/64 via 2001:db8::2");
            network.execThere("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
            network.ipThere("link add narrow mtu 1400 type veth peer name blind");
            network.ipThere("link set blind up");
            network.ipThere("link set narrow up");
            network.ipThere("route add 198.51.100.0/24 dev narrow");
            network.ipThere("route add 2001:db8:9::/64 dev narrow");
            String[] far = {"198.51.100.7", "2001:db8:9::7"};
            for (String destination : far) {
                network.ping(destination, 1440);
                assertTrue(network.ip("route get " + destination).contains("mtu 1400"), "the host has learnt it");
            }
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    assertEquals(
                            1500,
                            kernel.resolve(INET, Address.ANY, Address.parse(far[0]), NO_MARK)
                                    .mtuBytes());
                    assertEquals(
                            1500,
                            kernel.resolve(INET6, Address.ANY, Address.parse(far[1]), NO_MARK)
                                    .mtuBytes());
                }
                return null;
            });
        }
    }

    @Test
    void shouldForgetANextHopThatDoesNotAnswerWhenNobodyAsksForItAnyMore() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    Address nobody = Address.parse("192.0.2.9");
                    for (int round = 0; round < 3; round++) {
                        assertNull(kernel.resolve(INET, Address.ANY, nobody, NO_MARK));
                        kernel.refresh();
                    }
                    kernel.handleEvents();
                    int before = kernel.generation();
                    network.ip("neigh replace 192.0.2.9 lladdr 02:00:00:00:00:09 dev veth0");
                    kernel.handleEvents();
                    assertNotEquals(before, kernel.generation());
                    network.ip("neigh del 192.0.2.9 dev veth0");
                    kernel.handleEvents();
                    kernel.refresh();
                    kernel.refresh();
                    network.ip("neigh flush dev veth0");
                    network.ip("neigh flush dev veth0 nud failed");
                    kernel.refresh();
                    assertEquals("", network.ip("neigh show 192.0.2.9 nud all"));
                }
                return null;
            });
        }
    }

    @Test
    void shouldNoticeThatPoliciesAreDisabled() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    kernel.refresh();
                    int before = kernel.generation();
                    assertFalse(kernel.isXfrmDisabled(INET)
                            || kernel.isPolicyDisabled(INET)
                            || kernel.isPolicyDisabled(INET6));
                    network.exec("sysctl -qw net.ipv4.conf.veth0.disable_xfrm=1");
                    kernel.refresh();
                    assertNotEquals(before, kernel.generation());
                    assertTrue(kernel.isXfrmDisabled(INET));
                    assertFalse(kernel.isXfrmDisabled(INET6) || kernel.isPolicyDisabled(INET));
                    network.exec("sysctl -qw net.ipv4.conf.all.disable_policy=1 net.ipv6.conf.veth0.disable_policy=1");
                    kernel.refresh();
                    assertTrue(kernel.isPolicyDisabled(INET) && kernel.isPolicyDisabled(INET6));
                }
                return null;
            });
        }
    }

    @Test
    void shouldMakeRoomAndLetAllAskAgainWhenThereAreTooManyNextHops() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED, 2)) {
                    for (int host = 10; host < 13; host++) {
                        network.ip("neigh add 192.0.2." + host + " lladdr 02:00:00:00:00:" + host + " dev veth0");
                        assertNotNull(kernel.resolve(INET, Address.ANY, Address.parse("192.0.2." + host), NO_MARK));
                    }
                    kernel.handleEvents();
                    int before = kernel.generation();
                    kernel.refresh();
                    assertNotEquals(before, kernel.generation());
                    kernel.resolve(INET, Address.ANY, Address.parse("192.0.2.12"), NO_MARK);
                    before = kernel.generation();
                    network.ip("neigh replace 192.0.2.12 lladdr 02:00:00:00:00:ff dev veth0");
                    kernel.handleEvents();
                    assertNotEquals(before, kernel.generation());
                    kernel.refresh();
                }
                return null;
            });
        }
    }

    @Test
    void shouldNotChangeItsGenerationWhenNeighboursOnlyChangeTheirState() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev veth0");
            network.inHere(() -> {
                try (KernelNetwork kernel = new WireNetwork(link().index(), ATTACHED)) {
                    kernel.resolve(INET, Address.ANY, Address.parse("192.0.2.9"), NO_MARK);
                    kernel.handleEvents();
                    int before = kernel.generation();
                    network.ip("neigh change 192.0.2.9 lladdr 02:00:00:00:00:09 nud stale dev veth0");
                    network.ip("neigh add 192.0.2.10 lladdr 02:00:00:00:00:10 dev veth0");
                    kernel.handleEvents();
                    assertEquals(before, kernel.generation());
                    network.ip("neigh change 192.0.2.9 lladdr 02:00:00:00:00:0a nud reachable dev veth0");
                    kernel.handleEvents();
                    assertNotEquals(before, kernel.generation());
                    kernel.refresh();
                }
                return null;
            });
        }
    }
}
