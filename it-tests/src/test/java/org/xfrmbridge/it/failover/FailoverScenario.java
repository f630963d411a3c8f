package org.xfrmbridge.it.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: a cluster hands running SAs from one member to the next (GETSA, GETAE, NEWSA, NEWAE); a window that starts anew
 * would take old packets again, a counter that starts anew would have the peer drop the new ones. Topology: two hosts,
 * and a second member of the left one's cluster on the same wire. Steps: pings over the active member, its SAs are
 * copied to the standby one, more pings, the windows and counts are brought up to date, and the standby member takes
 * the addresses over; every packet the peer ever sent is sent again. Expected: no ping is lost on either side, neither
 * end refuses a new packet, none of the old ones is accepted, and counts and times go on.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.DEBIAN_PYTHON,
    Requirement.BRIDGE
})
class FailoverScenario {
    private static final String CLUSTER = "192.0.2.1";
    private static final String PEER = "192.0.2.2";
    private static final String OUTBOUND = "0x00001001";
    private static final String INBOUND = "0x00001002";
    private static final String STANDBY_PORT = "standby";
    private static final int PINGS = 20;
    /** As long ping waits for the last answer, however busy the machine is. */
    private static final int INTERVAL_MS = 100;
    /** A bridge hears of its host's new addresses a moment after the kernel has them. */
    private static final Duration SETTLING = Duration.ofSeconds(2);
    /** What the cluster has; the peer has the same with the directions exchanged. */
    private static final String STATES = """
            state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 reqid 1 mode tunnel %1$s \
            aead rfc4106\\(gcm\\(aes\\)\\) %2$s1 128
            state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002 reqid 1 mode tunnel %1$s \
            aead rfc4106\\(gcm\\(aes\\)\\) %2$s2 128
            """;

    private static final String KEY = "0x000102030405060708090a0b0c0d0e0f1011121";
    private static final String POLICIES = """
            policy add src 10.1.0.1 dst 10.2.0.1 dir %s tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel
            policy add src 10.2.0.1 dst 10.1.0.1 dir %s tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel
            """;

    private BridgedPair hosts;
    private Node active;
    private Node standby;
    private Node peer;

    private void startNodes(Attachment actives, Attachment standbys) {
        hosts = BridgedPair.start("failover", Topology::direct, actives, Attachment.STACK, List.of());
        try {
            String script = script();
            active = new Node(hosts.topology().left().host(), hosts.bridge(Side.LEFT), script);
            peer = new Node(hosts.topology().right().host(), hosts.bridge(Side.RIGHT), script);
            Namespace host = new Namespace(hosts.scene(), "standby");
            Namespace.connect(host, Gateway.DEVICE, hosts.topology().wire(), STANDBY_PORT);
            hosts.topology().wire().ip("link", "set", STANDBY_PORT, "master", "switch");
            host.address(Gateway.DEVICE, "192.0.2.3/24");
            standby = new Node(host, BridgeProcess.start(hosts.scene(), host, standbys), script);
        } catch (RuntimeException | AssertionError e) {
            BridgedPair.abandon(hosts, e);
            throw e;
        }
    }

    private String script() {
        Path script = hosts.scene().file("sa.py");
        try (InputStream text = FailoverScenario.class.getResourceAsStream("sa.py")) {
            Files.copy(text, script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return script.toString();
    }

    @AfterEach
    void endNodes() {
        hosts.close();
    }

    private static void route(Node node, String to, String via, String from) {
        node.host().ip("route", "replace", to, "via", via, "src", from);
    }

    /** What comes over the active member, or whichever took its place. */
    private void assertPingsPass() {
        new Ping(peer.host(), "10.2.0.1", "10.1.0.1").send(PINGS, INTERVAL_MS).assertComplete();
    }

    private void takeOver() {
        active.bridge().stop();
        active.host().ip("link", "set", Gateway.DEVICE, "down");
        standby.host().address("lo", "10.1.0.1/32");
        standby.host().address(standby.bridge().device(), CLUSTER + "/24");
        route(standby, "10.2.0.1", PEER, "10.1.0.1");
        peer.host().ip("neighbour", "flush", "to", CLUSTER);
        Await.pause(SETTLING);
    }

    private int sendEverythingAgain(String spi) {
        String mac = standby.host()
                .run("cat", "/sys/class/net/" + standby.bridge().device() + "/address")
                .strip();
        return Integer.parseInt(hosts.topology()
                .wire()
                .run(
                        Requirement.PYTHON,
                        standby.script(),
                        "replay",
                        hosts.sniffer().pcap().toString(),
                        spi,
                        STANDBY_PORT,
                        mac)
                .strip());
    }

    @ParameterizedTest
    @CsvSource({"replay-window 32, STACK, WIRE", "replay-window 64 flag esn, WIRE, STACK"})
    void shouldGoOnWhereOtherMemberStopped(String replay, Attachment actives, Attachment standbys) {
        startNodes(actives, standbys);
        active.xfrm(STATES.formatted(replay, KEY) + POLICIES.formatted("out", "in"));
        peer.xfrm(STATES.formatted(replay, KEY) + POLICIES.formatted("in", "out"));
        standby.xfrm(POLICIES.formatted("out", "in"));
        route(active, "10.2.0.1", PEER, "10.1.0.1");
        route(peer, "10.1.0.1", CLUSTER, "10.2.0.1");
        assertPingsPass();
        standby.install(active.get(PEER, OUTBOUND));
        standby.install(active.get(CLUSTER, INBOUND));
        assertPingsPass();
        standby.advance(active.get(PEER, OUTBOUND));
        standby.advance(active.get(CLUSTER, INBOUND));
        Node.Counts before = active.counts(PEER, CLUSTER, INBOUND);
        assertEquals(2 * PINGS, before.packets());

        takeOver();
        assertPingsPass();
        Node.Counts after = standby.counts(PEER, CLUSTER, INBOUND);
        assertEquals(new Node.Counts(3 * PINGS, before.added(), 0), after);
        assertEquals(3 * PINGS, sendEverythingAgain(INBOUND));
        assertPingsPass();
        assertEquals(new Node.Counts(4 * PINGS, before.added(), 3 * PINGS), standby.counts(PEER, CLUSTER, INBOUND));
        assertEquals(4 * PINGS, standby.counts(CLUSTER, PEER, OUTBOUND).packets());
        assertEquals(0, peer.counts(CLUSTER, PEER, OUTBOUND).refused());
    }
}
