package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.status.Place;

/** Judged by the text of {@code ip}, in a namespace of its own. */
class WireUnderlayTest {
    private static final DeviceNames NAMES = DeviceNames.of("veth0", "xfrm0");

    @TempDir
    private Path directory;

    private TestNetwork network;
    private String before;

    /** One of everything that can be on an interface. */
    @BeforeEach
    void configure() throws Exception {
        network = new TestNetwork();
        network.ip("addr add 192.0.2.11/24 dev veth0 label veth0:1");
        network.ip("addr add 198.51.100.1 peer 198.51.100.2/32 dev veth0");
        network.ip("addr add 203.0.113.1/24 brd + dev veth0 metric 77");
        network.ip("addr add 2001:db8::11/64 dev veth0 nodad");
        network.ip("addr add 2001:db8:1::1/64 dev veth0 noprefixroute");
        network.ip("route add default via 192.0.2.2");
        network.ip("route add 10.50.0.0/16 via 192.0.2.2 table 220 src 192.0.2.11");
        network.ip("route add 10.51.0.0/16 nexthop via 192.0.2.2 weight 2 nexthop via 192.0.2.3");
        network.ip("route add 10.52.0.0/24 dev veth0 scope link mtu 1300");
        network.ip("route add 10.53.0.0/24 via 10.52.0.1 dev veth0 onlink");
        network.ip("-6 route add default via 2001:db8::2 metric 50");
        network.ip("-6 route add 2001:db8:50::/48 via 2001:db8::2 table 220");
        network.ip("neigh add 192.0.2.99 lladdr 02:00:00:00:00:99 dev veth0");
        network.ip("neigh add proxy 192.0.2.98 dev veth0");
        before = snapshot();
    }

    @AfterEach
    void remove() throws Exception {
        if (network != null) {
            network.close();
        }
    }

    private static WireUnderlay attach(DeviceNames names, Path directory) throws IOException {
        return (WireUnderlay) Underlay.attach(new WirePlan(names, true), directory);
    }

    /** Less interface numbers and neighbours that come and go. */
    private String snapshot() throws Exception {
        return network.ip("addr show")
                + network.ip("route show table all")
                + network.ip("-6 route show table all")
                + network.ip("neigh show nud permanent")
                + network.ip("neigh show proxy");
    }

    @Test
    void shouldTellWhatIsNotAsItShouldBe() throws Exception {
        network.inHere(() -> {
            WireUnderlay underlay = attach(NAMES, directory);
            assertTrue(underlay.status().parts().stream().allMatch(part -> part.fault() == null));
            network.ip("link set veth0 nomaster");
            network.exec("nft delete table netdev xfrm-bridge-xfrm0b");
            underlay.leave();
            Place left = Underlay.left(directory);
            assertEquals("--attach veth0", left.runOptions());
            assertEquals(
                    "port veth0: is no port of xfrm0b, nftables' table xfrm-bridge-xfrm0b: is not there",
                    left.parts().stream()
                            .filter(part -> part.fault() != null)
                            .map(part -> part.name() + ": " + part.fault())
                            .collect(Collectors.joining(", ")));
            Underlay.detach(directory);
            return null;
        });
    }

    @Test
    void shouldRestoreEverythingExactlyWhenDetached() throws Exception {
        network.inHere(() -> {
            WireUnderlay underlay = attach(NAMES, directory);
            assertFalse(network.ip("addr show dev veth0").contains("inet"));
            String moved = network.ip("addr show dev xfrm0");
            assertTrue(
                    moved.contains("inet 192.0.2.1/24")
                            && moved.contains("xfrm0:1")
                            && moved.contains("2001:db8:1::1/64"),
                    moved);
            assertTrue(network.ip("route show table 220").contains("via 192.0.2.2 dev xfrm0 src 192.0.2.11"));
            assertFalse(network.ip("route show table all").contains("veth0"));
            assertFalse(network.ip("-6 route show table all").contains("veth0"));
            underlay.close();
            return null;
        });
        assertEquals(before, snapshot());
        assertNull(AttachmentRecord.read(directory));
    }

    private String merging() throws Exception {
        return network.exec("ethtool -k veth0")
                .lines()
                .filter(line -> line.contains("rx-udp-gro-forwarding"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldHaveTheInterfaceMergeDatagramsUntilItIsDetached() throws Exception {
        network.inHere(() -> {
            assertEquals("rx-udp-gro-forwarding: off", merging());
            WireUnderlay underlay = attach(NAMES, directory);
            assertEquals("rx-udp-gro-forwarding: on", merging());
            underlay.leave();
            // Without super-frames it is not wanted.
            Underlay.attach(new WirePlan(NAMES, false), directory).leave();
            assertEquals("rx-udp-gro-forwarding: off", merging());
            attach(NAMES, directory).leave();
            assertEquals("rx-udp-gro-forwarding: on", merging());
            Underlay.detach(directory);
            assertEquals("rx-udp-gro-forwarding: off", merging());
            return null;
        });
    }

    @Test
    void shouldLeaveAnInterfaceAloneThatMergesAnyway() throws Exception {
        network.inHere(() -> {
            network.exec("ethtool -K veth0 rx-udp-gro-forwarding on");
            attach(NAMES, directory).close();
            assertEquals("rx-udp-gro-forwarding: on", merging());
            WireUnderlay single = (WireUnderlay) Underlay.attach(new WirePlan(NAMES, false), directory);
            assertEquals("rx-udp-gro-forwarding: on", merging());
            assertEquals("none: --no-offload", single.superFrames());
            single.close();
            return null;
        });
    }

    @Test
    void shouldKeepWhatTheLinuxBridgeTakesInFromTheHostAndTakeTheFilterAway() throws Exception {
        TestNetwork.need("nft");
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            String table = network.exec("nft list table netdev xfrm-bridge-xfrm0b");
            assertTrue(table.contains("policy drop") && table.contains("xfrm0b"), table);
            network.exec("nft delete table netdev xfrm-bridge-xfrm0b");
            WireUnderlay again = attach(NAMES, directory);
            String tables = network.exec("nft list tables");
            assertTrue(tables.contains("xfrm-bridge-xfrm0b"), "made again when it is taken up");
            again.close();
            return null;
        });
        assertEquals("", network.exec("nft list tables"));
    }

    /** Debian's service of nftables does that whenever it starts. */
    @Test
    void shouldMakeTheFilterAnewWhenSomebodyHasFlushedAllTables() throws Exception {
        TestNetwork.need("nft");
        network.inHere(() -> {
            try (WireUnderlay underlay = attach(NAMES, directory)) {
                String table = network.exec("nft list ruleset");
                network.exec("nft flush ruleset");
                underlay.keepClosed();
                assertEquals(table, network.exec("nft list ruleset"));
                underlay.keepClosed();
                assertEquals(table, network.exec("nft list ruleset"));
            }
            return null;
        });
        assertEquals("", network.exec("nft list tables"));
    }

    @Test
    void shouldLetNothingPassAndBeTakenUpAgainWhenTheProcessDied() throws Exception {
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            assertTrue(network.ip("addr show dev xfrm0").contains("inet 192.0.2.1/24"));
            assertTrue(network.ip("route show").contains("default via 192.0.2.2 dev xfrm0"));
            assertFalse(network.ping("192.0.2.2"));
            WireUnderlay again = attach(NAMES, directory);
            assertTrue(network.ip("link show xfrm0").contains("LOWER_UP"));
            again.close();
            return null;
        });
        assertEquals(before, snapshot());
    }

    @Test
    void shouldDetachWithoutAProcessWhenItDied() throws Exception {
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            assertEquals("veth0 has its addresses and routes back", Underlay.detach(directory));
            assertNull(Underlay.detach(directory));
            return null;
        });
        assertEquals(before, snapshot());
    }

    @Test
    void shouldRestoreFromTheJournalWhenItDiedWhileMoving() throws Exception {
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            ((WireRecord) AttachmentRecord.read(directory))
                    .in(WireRecord.Phase.MOVING)
                    .write(directory);
            network.ip("addr flush dev xfrm0");
            attach(NAMES, directory).close();
            return null;
        });
        assertEquals(before, snapshot());
    }

    /**
     * As after a crash of the machine: the directory has stayed, the devices are gone, and the interface has got
     * another address.
     */
    @Test
    void shouldForgetWhatWasMovedWhenTheHostHasBootedSince() throws Exception {
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            ofAnotherBoot();
            for (String device : List.of("xfrm0", "xfrm0n", "xfrm0b")) {
                network.ip("link delete " + device);
            }
            network.ip("addr add 192.0.2.200/24 dev veth0");
            WireUnderlay underlay = attach(NAMES, directory);
            assertFalse(underlay.isResumed());
            assertEquals(List.of("192.0.2.200/24"), ipv4("xfrm0"));
            underlay.close();
            assertEquals(List.of("192.0.2.200/24"), ipv4("veth0"));
            return null;
        });
    }

    @Test
    void shouldNotTakeUpDevicesWhenTheHostHasBootedSince() throws Exception {
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            ofAnotherBoot();
            assertTrue(assertThrows(AttachmentException.class, () -> attach(NAMES, directory))
                    .getMessage()
                    .contains("xfrm0"));
            assertNull(Underlay.detach(directory));
            return null;
        });
    }

    /** As when a container is started again after it was killed, and has got another address. */
    @Test
    void shouldForgetWhatWasMovedWhenItWasInAnotherNamespace() throws Exception {
        network.inHere(() -> {
            attach(NAMES, directory).leave();
            return null;
        });
        TestNetwork.within(network.startInThere(() -> {
            String reason = assertThrows(AttachmentException.class, () -> Underlay.detach(directory))
                    .getMessage();
            assertTrue(reason.contains("another network namespace"), reason);
            attach(NAMES, directory).close();
            return null;
        }));
        String there = network.ipThere("addr show dev veth0");
        assertTrue(there.contains("192.0.2.2/24") && !there.contains("192.0.2.1"), there);
    }

    private void ofAnotherBoot() throws IOException {
        Path journal = directory.resolve("attachment.journal");
        Files.writeString(
                journal,
                Files.readString(journal).replaceAll("(?m)^boot=.*", "boot=9d8b2a4e-0000-4000-8000-000000000000"));
    }

    private List<String> ipv4(String device) throws Exception {
        return Pattern.compile("inet (\\S+)")
                .matcher(network.ip("addr show dev " + device))
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    @Test
    void shouldLeaveEverythingAsItWasWhenItCannotBeWrittenDown() throws Exception {
        Path absent = directory.resolve("absent");
        network.inHere(() -> {
            assertThrows(IOException.class, () -> attach(NAMES, absent));
            return null;
        });
        assertEquals(before, snapshot());
    }

    @Test
    void shouldGiveBackWhatWasAddedMeanwhile() throws Exception {
        network.inHere(() -> {
            WireUnderlay underlay = attach(NAMES, directory);
            network.ip("addr add 192.0.2.77/24 dev xfrm0");
            network.ip("addr del 203.0.113.1/24 dev xfrm0");
            underlay.close();
            return null;
        });
        String now = network.ip("addr show dev veth0");
        assertTrue(now.contains("192.0.2.77/24") && !now.contains("203.0.113.1"), now);
    }

    @Test
    void shouldSayWhyWhenAnInterfaceCannotBeTaken() throws Exception {
        network.ip("link add busy type bridge");
        network.ip("link add port type veth peer name port2");
        network.ip("link set port master busy");
        network.inHere(() -> {
            assertTrue(reason("nothing0").contains("no interface nothing0"));
            assertTrue(reason("lo").contains("no Ethernet"));
            assertTrue(reason("port").contains("port of busy"));
            assertTrue(reason("a-name-that-no-link-has").contains("no interface"));
            return null;
        });
        network.ip("link add xfrm0b type bridge");
        network.inHere(() -> {
            assertTrue(reason("veth0").contains("xfrm0b already"));
            return null;
        });
    }

    @Test
    void shouldSayThatABridgeIsThereWhenItsDevicesAreNamed() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        network.inHere(() -> {
            WireUnderlay first = attach(DeviceNames.of("veth0", "first"), other);
            assertTrue(reason("veth0").contains("has a bridge already, which made first"));
            assertTrue(reason("first").contains("belongs to a bridge already"));
            first.close();
            return null;
        });
    }

    private String reason(String original) {
        DeviceNames names = DeviceNames.of(original, "xfrm0");
        String message = assertThrows(AttachmentException.class, () -> attach(names, directory))
                .getMessage();
        assertNotNull(message);
        assertFalse(Files.exists(directory.resolve("attachment.journal")));
        return message;
    }
}
