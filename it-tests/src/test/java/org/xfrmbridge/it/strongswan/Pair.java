package org.xfrmbridge.it.strongswan;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.xfrmbridge.it.harness.Await;
import org.xfrmbridge.it.harness.BridgeProcess;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Side;
import org.xfrmbridge.it.harness.Site;
import org.xfrmbridge.it.harness.Site.Family;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.it.harness.Topology;

/**
 * Two charons, each on its own bridge, and a sniffer between them: what nearly every scenario starts from.
 */
final class Pair implements AutoCloseable {
    /** Quick retransmissions, so that a dead peer is noticed within a scenario's patience. */
    static final Map<String, String> IMPATIENT =
            Map.of("retransmit_timeout", "0.5", "retransmit_base", "1", "retransmit_tries", "3");
    /** The scenario makes the routes: see {@link #routeInner}. */
    static final Map<String, String> NO_ROUTES = Map.of("install_routes", "no");

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Scene scene;
    private final Topology topology;
    private final Sniffer sniffer;
    private final Map<Side, BridgeProcess> bridges = new EnumMap<>(Side.class);
    private final Map<Side, Charon> charons = new EnumMap<>(Side.class);

    /** Makes a topology in a scene; one of the factory methods of {@link Topology}. */
    interface Layout {
        Topology in(Scene scene);
    }

    static Pair start(String name, Layout layout) {
        return start(name, layout, Map.of());
    }

    /** Starts everything; {@code options} go to both daemons' strongswan.conf. */
    static Pair start(String name, Layout layout, Map<String, String> options) {
        Scene scene = new Scene(name);
        try {
            return new Pair(scene, layout.in(scene), options);
        } catch (RuntimeException | AssertionError e) {
            try {
                scene.close();
            } catch (RuntimeException | AssertionError later) {
                e.addSuppressed(later);
            }
            throw e;
        }
    }

    private Pair(Scene scene, Topology topology, Map<String, String> options) {
        this.scene = scene;
        this.topology = topology;
        // the right port is behind the router where there is one: there only ESP, IKE and ARP may pass as well
        this.sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
        Certificates certificates = new Certificates(scene.file("pki"));
        for (Side side : Side.values()) {
            Site site = topology.site(side);
            bridges.put(side, BridgeProcess.start(scene, site.host(), Site.DEVICE));
            certificates.install(side, scene.file("swanctl-" + site.host().role()));
        }
        for (Side side : Side.values()) {
            charons.put(side, Charon.start(scene, topology.site(side).host(), bridges.get(side), options));
        }
    }

    Scene scene() {
        return scene;
    }

    Topology topology() {
        return topology;
    }

    Sniffer sniffer() {
        return sniffer;
    }

    BridgeProcess bridge(Side side) {
        return bridges.get(side);
    }

    Charon charon(Side side) {
        return charons.get(side);
    }

    /** Gives both ends these connections, instead of earlier ones, whose IKE_SAs are ended. */
    void load(Connection... connections) {
        charons.values().forEach(Charon::endAll);
        for (Side side : Side.values()) {
            load(side, connections);
        }
    }

    void load(Side side, Connection... connections) {
        Section root = new Section();
        for (Connection connection : connections) {
            connection.render(root.in("connections"), topology, side);
        }
        root.in("secrets").in("ike-any").put("secret", "\"a key for scenarios\"");
        charons.get(side).load(root.toString());
    }

    /** Negotiates a CHILD_SA from the left. */
    void initiate(String child) {
        charons.get(Side.LEFT).swanctl("--initiate", "--timeout", "10", "--child", child);
    }

    /** Ends the IKE_SA of this name, with its children, from the left. */
    void terminate(String ike) {
        charons.get(Side.LEFT).swanctl("--terminate", "--timeout", "10", "--ike", ike);
    }

    /** From the left inner address to the right one. */
    Ping ping(Family inner) {
        return Ping.inner(topology, Side.LEFT, inner);
    }

    /** From the left outer address to the right one: what transport mode protects. */
    Ping outerPing(Family outer) {
        return new Ping(topology.left().host(), topology.left().outer().of(outer), topology.right().outer().of(outer));
    }

    /** The text of {@code ip xfrm state} and {@code policy} of one bridge, without the policies of IKE sockets. */
    String databases(Side side) {
        return bridge(side).run("ip", "xfrm", "state") + bridge(side).run("ip", "xfrm", "policy", "list", "nosock");
    }

    /**
     * Gives both hosts a way to the other's inner address through its outer one. Needed where charon makes no route (selectors
     * with a protocol) or one without a gateway (selectors of another family than the tunnel's).
     */
    void routeInner(Family inner) {
        for (Side side : Side.values()) {
            Site site = topology.site(side);
            Site other = topology.site(side.other());
            site.host().ip("-" + inner.label(), "route", "replace", other.inner().of(inner),
                    "via", other.outer().of(inner), "src", site.inner().of(inner));
        }
    }

    /** Waits until no SA, and no policy of a connection, is left on either side. */
    void awaitDatabasesEmpty() {
        for (Side side : Side.values()) {
            Await.until("empty databases on " + side, PATIENCE, () -> databases(side).isBlank());
        }
    }

    /** Negotiates {@code child}, pings through it, checks that ESP carried it, and ends {@code connection}. */
    void prove(Connection connection, String child, Ping ping) {
        load(connection);
        initiate(child);
        int before = sniffer.espFrames();
        Ping.Score score = ping.send();
        score.assertComplete();
        int frames = sniffer.espFrames() - before;
        if (frames < 2 * score.sent()) {
            throw new AssertionError(frames + " ESP frames for " + score.sent() + " requests and as many answers");
        }
        sniffer.assertNothingClear();
        terminate(connection.name());
        awaitDatabasesEmpty();
    }

    @Override
    public void close() {
        scene.close();
    }
}
