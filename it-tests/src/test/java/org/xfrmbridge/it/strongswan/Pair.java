package org.xfrmbridge.it.strongswan;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/** Two charons, each on its own bridge, and a sniffer between them. */
final class Pair implements AutoCloseable {
    /** Quick retransmissions, so that a dead peer is noticed within a scenario's patience. */
    static final Map<String, String> IMPATIENT =
            Map.of("retransmit_timeout", "0.5", "retransmit_base", "1", "retransmit_tries", "3");
    /** The scenario makes the routes: see {@link #routeInner}. */
    static final Map<String, String> NO_ROUTES = Map.of("install_routes", "no");

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final BridgedPair hosts;
    private final Map<Side, Charon> charons = new EnumMap<>(Side.class);

    /** Starts everything, with both bridges in their hosts' stacks. */
    static Pair start(String name, Function<Scene, Topology> layout) {
        return start(name, layout, Map.of());
    }

    /** The same; {@code options} go to both daemons' strongswan.conf. */
    static Pair start(String name, Function<Scene, Topology> layout, Map<String, String> options) {
        return start(name, layout, Attachment.STACK, options);
    }

    /** The same, with the right one in front of its interface: both attachments in one scenario. */
    static Pair startMixed(String name, Function<Scene, Topology> layout, Map<String, String> options) {
        return start(name, layout, Attachment.WIRE, options);
    }

    private static Pair start(
            String name, Function<Scene, Topology> layout, Attachment right, Map<String, String> options) {
        BridgedPair hosts = BridgedPair.start(name, layout, Attachment.STACK, right, List.of());
        try {
            return new Pair(hosts, options);
        } catch (RuntimeException | AssertionError e) {
            BridgedPair.abandon(hosts, e);
            throw e;
        }
    }

    private Pair(BridgedPair hosts, Map<String, String> options) {
        this.hosts = hosts;
        Certificates certificates = new Certificates(scene().file("pki"));
        for (Side side : Side.values()) {
            certificates.install(
                    side, scene().file("swanctl-" + topology().site(side).host().role()));
            charons.put(side, Charon.launch(scene(), topology().site(side).host(), bridge(side), options));
        }
        charons.values().forEach(Charon::awaitAnswer);
    }

    BridgedPair hosts() {
        return hosts;
    }

    Scene scene() {
        return hosts.scene();
    }

    Topology topology() {
        return hosts.topology();
    }

    Sniffer sniffer() {
        return hosts.sniffer();
    }

    BridgeProcess bridge(Side side) {
        return hosts.bridge(side);
    }

    Charon charon(Side side) {
        return charons.get(side);
    }

    /** Gives both ends these connections, instead of earlier ones, whose IKE_SAs are ended. */
    void load(Connection... connections) {
        charons.values().forEach(SaList::endAll);
        for (Side side : Side.values()) {
            load(side, connections);
        }
    }

    void load(Side side, Connection... connections) {
        Connection.load(charons.get(side), topology(), side, connections);
    }

    /** Negotiates a CHILD_SA from the left. */
    void initiate(String child) {
        charons.get(Side.LEFT).swanctl("--initiate", "--timeout", "30", "--child", child);
    }

    /** Ends the IKE_SA of this name, with its children, from the left. */
    void terminate(String ike) {
        charons.get(Side.LEFT).swanctl("--terminate", "--timeout", "30", "--ike", ike);
    }

    /** From the left inner address to the right one. */
    Ping ping(Family inner) {
        return Ping.inner(topology(), Side.LEFT, inner);
    }

    /** From the left outer address to the right one: what transport mode protects. */
    Ping outerPing(Family outer) {
        return Ping.outer(topology(), Side.LEFT, outer);
    }

    /** The text of {@code ip xfrm state} and {@code policy} of one bridge, without the policies of IKE sockets. */
    String databases(Side side) {
        return bridge(side).run("ip", "xfrm", "state") + hosts.policies(side);
    }

    /**
     * Gives both hosts a way to the other's inner address through its outer one. Needed where charon makes no route
     * (selectors with a protocol) or one without a gateway (selectors of another family than the tunnel's).
     */
    void routeInner(Family inner) {
        for (Side side : Side.values()) {
            topology().site(side).routeTo(topology().site(side.other()), inner);
        }
    }

    /** Waits until no SA, and no policy of a connection, is left on either side. */
    void awaitDatabasesEmpty() {
        for (Side side : Side.values()) {
            Await.until(
                    "empty databases on " + side,
                    PATIENCE,
                    () -> databases(side).isBlank());
        }
    }

    /** Negotiates {@code child}, pings through it, checks that ESP carried it, and ends {@code connection}. */
    void prove(Connection connection, String child, Ping ping) {
        load(connection);
        initiate(child);
        hosts.assertProtected(ping);
        terminate(connection.name());
        awaitDatabasesEmpty();
    }

    @Override
    public void close() {
        hosts.close();
    }
}
