package org.xfrmbridge.it.harness;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Two hosts with a bridge on each, and a sniffer between them: what nearly every scenario starts from. The daemons are
 * the scenario's. Closing it ends everything of its scene, and fails if the sniffer saw a packet in the clear.
 */
public final class BridgedPair implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** An SA that has keys: a SPI that only waits for them is listed without an algorithm. */
    private static final Pattern KEYED =
            Pattern.compile("proto \\S+ spi (0x[0-9a-f]+) .*\\R(?:\\s+(?!proto).*\\R)*?\\s+(?:auth|enc|aead|comp)");

    private static final Pattern ACQUIRE_ERROR = Pattern.compile("\"XfrmAcquireError\": (\\d+)");

    private final Scene scene;
    private final Topology topology;
    private final Sniffer sniffer;
    private final Map<Side, BridgeProcess> bridges = new EnumMap<>(Side.class);

    /**
     * Starts everything, with both bridges in their hosts' stacks; {@code layout} is one of the factory methods of
     * {@link Topology}.
     */
    public static BridgedPair start(String name, Function<Scene, Topology> layout) {
        return start(name, layout, Attachment.STACK, Attachment.STACK, List.of());
    }

    /** The same, with bridges where they are told to be, and more options of {@code run} for both. */
    public static BridgedPair start(
            String name, Function<Scene, Topology> layout, Attachment left, Attachment right, List<String> options) {
        Scene scene = new Scene(name);
        try {
            return new BridgedPair(scene, layout.apply(scene), Map.of(Side.LEFT, left, Side.RIGHT, right), options);
        } catch (RuntimeException | AssertionError e) {
            abandon(scene, e);
            throw e;
        }
    }

    private BridgedPair(Scene scene, Topology topology, Map<Side, Attachment> attachments, List<String> options) {
        this.scene = scene;
        this.topology = topology;
        // the right port is behind the router where there is one: there only ESP, IKE and ARP may pass as well
        this.sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
        for (Side side : Side.values()) {
            Namespace host = topology.site(side).host();
            // or the sniffer sees as one frame what a real wire carries as many
            host.ip("link", "set", Gateway.DEVICE, "gso_max_segs", "1");
            bridges.put(side, BridgeProcess.launch(scene, host, attachments.get(side), options));
        }
        bridges.values().forEach(BridgeProcess::awaitReady);
    }

    /** Closes what could not be started whole, because of {@code cause}. */
    public static void abandon(AutoCloseable started, Throwable cause) {
        try {
            started.close();
        } catch (Exception | AssertionError later) {
            cause.addSuppressed(later);
        }
    }

    public Scene scene() {
        return scene;
    }

    public Topology topology() {
        return topology;
    }

    public Sniffer sniffer() {
        return sniffer;
    }

    public BridgeProcess bridge(Side side) {
        return bridges.get(side);
    }

    /** The SPIs of the SAs that have keys, in order, whichever interface made them. */
    public List<String> spis(Side side) {
        String states = bridge(side).run("ip", "xfrm", "state");
        return KEYED.matcher(states)
                .results()
                .map(match -> match.group(1))
                .sorted()
                .toList();
    }

    /** Whether a side has an SA with keys. */
    public boolean hasStates() {
        return bridges.keySet().stream().anyMatch(side -> !spis(side).isEmpty());
    }

    /** Removes all SAs and policies of both sides, but those of sockets. */
    public void flush() {
        for (BridgeProcess bridge : bridges.values()) {
            bridge.run("ip", "xfrm", "state", "flush");
            bridge.run("ip", "xfrm", "policy", "flush");
        }
    }

    /** The SPIs of two SAs, one for each direction. Throws unless both sides have these and no others. */
    public List<String> onePairOfSas() {
        List<String> left = spis(Side.LEFT);
        List<String> right = spis(Side.RIGHT);
        if (left.size() != 2 || !left.equals(right)) {
            throw new AssertionError("SAs on the left: " + left + ", on the right: " + right);
        }
        return left;
    }

    /** How many packets named an SA that waited for its keys, on both sides. */
    public int acquireErrors() {
        int all = 0;
        for (Side side : Side.values()) {
            Matcher count = ACQUIRE_ERROR.matcher(bridge(side).stat());
            if (!count.find()) {
                throw new AssertionError("no XfrmAcquireError among the counters");
            }
            all += Integer.parseInt(count.group(1));
        }
        return all;
    }

    /** The text of {@code ip xfrm policy}, without the policies of IKE sockets. */
    public String policies(Side side) {
        return bridge(side).run("ip", "xfrm", "policy", "list", "nosock");
    }

    /** Waits until both sides have one SA for each direction, the same ones. */
    public void awaitOnePairOfSas() {
        Await.until(
                "an SA for each direction",
                PATIENCE,
                () -> spis(Side.LEFT).size() == 2 && spis(Side.LEFT).equals(spis(Side.RIGHT)));
    }

    /** Waits until neither side has an SA with keys. */
    public void awaitNoStates() {
        for (Side side : Side.values()) {
            Await.until("no SA on " + side, PATIENCE, () -> spis(side).isEmpty());
        }
    }

    /** Waits until each side has as many SAs as {@code before}, and none of those. */
    public void awaitReplaced(List<String> before) {
        for (Side side : Side.values()) {
            Await.until("new SAs alone on " + side, PATIENCE, () -> {
                List<String> now = spis(side);
                return now.size() == before.size() && now.stream().noneMatch(before::contains);
            });
        }
    }

    /** Pings, and throws unless all were answered and ESP carried each of them both ways. */
    public void assertProtected(Ping ping) {
        int before = sniffer.espFrames();
        Ping.Score score = ping.send();
        score.assertComplete();
        int frames = sniffer.espFrames() - before;
        if (frames < 2 * score.sent()) {
            throw new AssertionError(frames + " ESP frames for " + score.sent() + " requests and as many answers");
        }
        sniffer.assertNothingClear();
    }

    @Override
    public void close() {
        scene.close();
    }
}
