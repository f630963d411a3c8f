package org.xfrmbridge.it.openiked;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Await;
import org.xfrmbridge.it.harness.BridgeProcess;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Side;
import org.xfrmbridge.it.harness.Site;
import org.xfrmbridge.it.harness.Site.Family;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.it.harness.Topology;

/**
 * Why: a daemon that knows PF_KEY only, waits a millisecond for an answer, and passes its sockets to a confined process. Topology: two hosts.
 * Steps: iked on both ends, pings, rekeying by bytes, deletion by one end, the end of the daemons. Expected: no ping is lost, all is ESP, and
 * what one end deletes goes on both.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.TCPDUMP, Requirement.IKED, Requirement.BRIDGE})
class OpenikedScenario {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int LIFETIME_BYTES = 60_000;
    private static final int PING_BYTES = 1200;
    private static final int INTERVAL_MS = 100;

    private final Map<Side, BridgeProcess> bridges = new EnumMap<>(Side.class);
    private final Map<Side, Iked> daemons = new EnumMap<>(Side.class);
    private Scene scene;
    private Topology topology;
    private Sniffer sniffer;

    @BeforeEach
    void startBridges() {
        scene = new Scene("openiked");
        topology = Topology.direct(scene);
        sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
        for (Side side : Side.values()) {
            bridges.put(side, BridgeProcess.start(scene, topology.site(side).host(), Site.DEVICE));
        }
    }

    @AfterEach
    void endScene() {
        scene.close();
    }

    private void startDaemons(String kind, Family family, String... options) {
        for (Side side : List.of(Side.RIGHT, Side.LEFT)) {
            Site here = topology.site(side);
            Site there = topology.site(side.other());
            boolean tunnel = kind.equals("tunnel");
            String from = tunnel ? here.inner().of(family) : here.outer().of(family);
            String to = tunnel ? there.inner().of(family) : there.outer().of(family);
            if (tunnel) {
                here.host().ip("-" + family.label(), "route", "replace", to, "via", there.outer().of(family), "src", from);
            }
            String configuration = "ikev2 \"wire\" %s %s esp from %s to %s local %s peer %s".formatted(
                            side == Side.LEFT ? "active" : "passive", kind, from, to, here.outer().of(family), there.outer().of(family))
                    + " ikesa enc aes-128 prf hmac-sha2-256 auth hmac-sha2-256 group curve25519"
                    + " childsa enc aes-128 auth hmac-sha1 group curve25519"
                    + " srcid %s.test dstid %s.test".formatted(side.name().toLowerCase(), side.other().name().toLowerCase())
                    + " lifetime 3600 bytes %d psk \"a key for scenarios\"".formatted(LIFETIME_BYTES);
            daemons.put(side, Iked.start(scene, here.host(), bridges.get(side), configuration, options));
        }
        daemons.values().forEach(Iked::awaitEstablished);
    }

    private void assertProtected(Ping ping) {
        int before = sniffer.espFrames();
        ping.send().assertComplete();
        assertTrue(sniffer.espFrames() > before);
        sniffer.assertNothingClear();
    }

    private void awaitNoStates() {
        for (Side side : Side.values()) {
            Await.until("no SA on " + side, PATIENCE, () -> daemons.get(side).spis().isEmpty());
        }
    }

    @Disabled("once in five runs old SAs were still beside the new ones ten seconds after a rekey; not understood yet")
    @Test
    void shouldNegotiateRekeyAndDeleteTunnels() {
        startDaemons("tunnel", Family.IPV4);
        Ping ping = Ping.inner(topology, Side.LEFT, Family.IPV4);
        assertProtected(ping);
        List<String> first = daemons.get(Side.LEFT).spis();
        assertEquals(2, first.size());
        assertEquals(first, daemons.get(Side.RIGHT).spis());

        ping.payloadBytes(PING_BYTES).send(LIFETIME_BYTES / PING_BYTES + 10, INTERVAL_MS).assertComplete();
        for (Side side : Side.values()) {
            Await.until("new SAs alone on " + side, PATIENCE, () -> {
                List<String> now = daemons.get(side).spis();
                return now.size() == 2 && Collections.disjoint(now, first);
            });
        }
        assertProtected(Ping.inner(topology, Side.LEFT, Family.IPV4));

        daemons.get(Side.RIGHT).reset("FQDN/left.test");
        awaitNoStates();
    }

    @Test
    void shouldProtectHostsInTransportMode() {
        startDaemons("transport", Family.IPV6);
        assertProtected(new Ping(
                topology.left().host(), topology.left().outer().of(Family.IPV6), topology.right().outer().of(Family.IPV6)));

        daemons.values().forEach(Iked::stop);
        for (Side side : Side.values()) {
            assertEquals(List.of(), daemons.get(side).spis());
            assertEquals("", daemons.get(side).policies());
        }
    }

    @Test
    void shouldCarryTunnelsInUdpWhenForced() {
        startDaemons("tunnel", Family.IPV4, "-t");
        assertProtected(Ping.inner(topology, Side.LEFT, Family.IPV4));
        assertTrue(sniffer.udpEncapsulatedFrames() > 0);
    }
}
