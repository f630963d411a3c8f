package org.xfrmbridge.it.harness;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Two hosts with a bridge on each, ESP tunnels between their inner addresses with fixed keys, and iperf3 through them.
 * What there is of SAs and policies, and what is done to the wire, is the scenario's.
 */
public record KeyedHosts(Topology topology, Map<Side, BridgeProcess> bridges) {
    /** Of every SA, as {@code ip xfrm} has it. */
    public static final String KEY = "0x0102030405060708090a0b0c0d0e0f1011121314";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Starts the bridges, which the scene ends, and waits until they are ready. @param options of {@code run} */
    public static KeyedHosts start(Scene scene, Topology topology, Attachment attachment, List<String> options) {
        KeyedHosts hosts = new KeyedHosts(topology, new EnumMap<>(Side.class));
        for (Side side : Side.values()) {
            hosts.bridges.put(side, BridgeProcess.launch(scene, hosts.host(side), attachment, options));
        }
        for (Side side : Side.values()) {
            hosts.bridge(side).awaitReady();
            Side other = side.other();
            hosts.host(side)
                    .ip("route", "replace", hosts.inner(other), "via", hosts.outer(other), "src", hosts.inner(side));
        }
        return hosts;
    }

    public Namespace host(Side side) {
        return topology.site(side).host();
    }

    public BridgeProcess bridge(Side side) {
        return bridges.get(side);
    }

    public String inner(Side side) {
        return topology.site(side).inner().v4();
    }

    public String outer(Side side) {
        return topology.site(side).outer().v4();
    }

    /** Runs a script of the shell, whose {@code ip xfrm} speaks to the bridge of that side. */
    public void run(Side side, String script) {
        bridge(side).run("sh", "-ec", script);
    }

    /** A line that adds the SA from one side to the other. @param more of {@code ip xfrm state add} */
    public String state(Side from, int spi, int reqid, String more) {
        return "ip xfrm state add src " + outer(from) + " dst " + outer(from.other()) + " proto esp spi " + spi
                + " reqid " + reqid + " mode tunnel aead 'rfc4106(gcm(aes))' " + KEY + " 128 " + more + '\n';
    }

    /**
     * A line that adds, on one side, the policy for what goes from one side to the other.
     *
     * @param selector what more the selector says
     */
    public String policy(Side at, Side from, int reqid, String selector) {
        return "ip xfrm policy add src " + inner(from) + " dst " + inner(from.other()) + selector + " dir "
                + (at == from ? "out" : "in") + " tmpl src " + outer(from) + " dst " + outer(from.other())
                + " proto esp reqid " + reqid + " mode tunnel\n";
    }

    public JsonObject stat(Side side) {
        return JsonParser.parseString(bridge(side).stat()).getAsJsonObject();
    }

    /** Of one direction, or among the reasons to drop ({@code xfrm_stat}). */
    public long count(Side side, String part, String counter) {
        return stat(side).getAsJsonObject(part).get(counter).getAsLong();
    }

    /** iperf3's server on the right side, which the scene ends. */
    public void serveIperf(Scene scene) {
        Daemon server = scene.own(host(Side.RIGHT)
                .start(
                        "iperf3",
                        scene.file("server.log"),
                        host(Side.RIGHT).command("iperf3", "-s", "--forceflush", "-B", inner(Side.RIGHT))));
        server.awaitOutput("listening", PATIENCE);
    }

    /** What iperf3 says at the end, run on the left side. */
    public JsonObject iperf(Duration limit, String... options) {
        List<String> line = new ArrayList<>(List.of("iperf3", "-J", "-c", inner(Side.RIGHT), "-B", inner(Side.LEFT)));
        line.addAll(List.of(options));
        return JsonParser.parseString(
                        host(Side.LEFT).command(line).within(limit).run())
                .getAsJsonObject()
                .getAsJsonObject("end");
    }
}
