package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: with several threads for each direction packets are handed from one to the other. Topology: two hosts with
 * bridges of four queues each, an SA for each of TCP, UDP and ICMP, a sniffer between them. Steps: four streams of
 * datagrams and four of TCP each way; one bridge is killed, and started with two queues, then with one. Expected: on
 * the wire the numbers of each SA come one after the other; no datagram is lost, or behind another of its stream;
 * nothing is refused as a replay; the bridge takes up what it left, whatever the number of queues.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.IPERF, Requirement.TCPDUMP})
class QueuesScenario {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final List<String> PROTOCOLS = List.of("tcp", "udp", "icmp");
    private static final String KEY = " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128";
    private static final Pattern ESP = Pattern.compile("ESP\\(spi=0x([0-9a-f]+),seq=0x([0-9a-f]+)\\)");

    private record Run(Topology topology, Map<Side, BridgeProcess> bridges, Sniffer sniffer) {
        Namespace host(Side side) {
            return topology.site(side).host();
        }

        String inner(Side side) {
            return topology.site(side).inner().v4();
        }

        String outer(Side side) {
            return topology.site(side).outer().v4();
        }
    }

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldKeepSasWholeAndFlowsInOrder(Attachment attachment) throws IOException {
        try (Scene scene = new Scene("queues-" + attachment)) {
            Run run = start(scene, attachment);
            Daemon server = scene.own(run.host(Side.RIGHT)
                    .start(
                            "iperf3",
                            scene.file("server.log"),
                            run.host(Side.RIGHT).command("iperf3", "-s", "--forceflush", "-B", run.inner(Side.RIGHT))));
            server.awaitOutput("listening", LIMIT);
            for (Side side : Side.values()) {
                assertEquals(4, threads(run.bridges.get(side), "outbound"));
                assertEquals(4, threads(run.bridges.get(side), "inbound"));
            }

            shouldKeepOrder(run, "-t2");
            shouldKeepOrder(run, "-t2", "-R");
            iperf(run, "-P4", "-b10M", "-t2");
            iperf(run, "-P4", "-b10M", "-t2", "-R");
            shouldNumberAllPackets(run);
            shouldHaveHandedOver(run);

            BridgeProcess left = run.bridges.get(Side.LEFT);
            for (int queues : new int[] {2, 1}) {
                left.kill9();
                left.start(List.of("--queues", "" + queues));
                assertEquals(queues, threads(left, "outbound"));
                for (Side side : Side.values()) {
                    run.bridges.get(side).run("sh", "-ec", "ip xfrm state flush\n" + states(run));
                }
                shouldKeepOrder(run, "-t1");
                shouldKeepOrder(run, "-t1", "-R");
            }
        }
    }

    private static Run start(Scene scene, Attachment attachment) {
        Topology topology = Topology.direct(scene);
        Sniffer sniffer = Sniffer.start(scene, topology.wire(), Topology.LEFT_PORT);
        Run run = new Run(topology, new EnumMap<>(Side.class), sniffer);
        for (Side side : Side.values()) {
            run.bridges.put(side, BridgeProcess.launch(scene, run.host(side), attachment, List.of("--queues", "4")));
        }
        for (Side side : Side.values()) {
            run.bridges.get(side).awaitReady();
            Side other = side == Side.LEFT ? Side.RIGHT : Side.LEFT;
            run.host(side).ip("route", "replace", run.inner(other), "via", run.outer(other), "src", run.inner(side));
            run.bridges.get(side).run("sh", "-ec", states(run) + policies(run, side));
        }
        return run;
    }

    private static String states(Run run) {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < PROTOCOLS.size(); i++) {
            commands.append(state(run, Side.LEFT, Side.RIGHT, 0x1001 + i, i + 1));
            commands.append(state(run, Side.RIGHT, Side.LEFT, 0x2001 + i, i + 1));
        }
        return commands.toString();
    }

    private static String state(Run run, Side from, Side to, int spi, int reqid) {
        return "ip xfrm state add src " + run.outer(from) + " dst " + run.outer(to) + " proto esp spi " + spi
                + " reqid " + reqid + " mode tunnel replay-window 32" + KEY + '\n';
    }

    private static String policies(Run run, Side side) {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < PROTOCOLS.size(); i++) {
            commands.append(policy(run, Side.LEFT, Side.RIGHT, side == Side.LEFT ? "out" : "in", i));
            commands.append(policy(run, Side.RIGHT, Side.LEFT, side == Side.LEFT ? "in" : "out", i));
        }
        return commands.toString();
    }

    private static String policy(Run run, Side from, Side to, String direction, int index) {
        return "ip xfrm policy add src " + run.inner(from) + " dst " + run.inner(to) + " proto "
                + PROTOCOLS.get(index) + " dir " + direction + " tmpl src " + run.outer(from) + " dst "
                + run.outer(to) + " proto esp reqid " + (index + 1) + " mode tunnel\n";
    }

    private static JsonObject iperf(Run run, String... options) {
        List<String> line =
                new ArrayList<>(List.of("iperf3", "-J", "-c", run.inner(Side.RIGHT), "-B", run.inner(Side.LEFT)));
        line.addAll(List.of(options));
        return JsonParser.parseString(
                        run.host(Side.LEFT).command(line).within(LIMIT).run())
                .getAsJsonObject()
                .getAsJsonObject("end");
    }

    private static void shouldKeepOrder(Run run, String... options) {
        List<String> line = new ArrayList<>(List.of("-u", "-P4", "-l", "1200", "-b", "5M"));
        line.addAll(List.of(options));
        JsonObject end = iperf(run, line.toArray(String[]::new));
        for (JsonElement stream : end.getAsJsonArray("streams")) {
            JsonObject udp = stream.getAsJsonObject().getAsJsonObject("udp");
            assertEquals(0, udp.get("out_of_order").getAsLong(), udp::toString);
            assertEquals(0, udp.get("lost_packets").getAsLong(), udp::toString);
            assertTrue(udp.get("packets").getAsLong() > 100, udp::toString);
        }
    }

    /** As they were on the wire, each SA's from 1 on. */
    private static void shouldNumberAllPackets(Run run) {
        Map<String, Long> last = new HashMap<>();
        for (String packet : run.sniffer.packets("esp")) {
            Matcher esp = ESP.matcher(packet);
            assertTrue(esp.find(), packet);
            long number = Long.parseLong(esp.group(2), 16);
            assertEquals(last.getOrDefault(esp.group(1), 0L) + 1, number, packet);
            last.put(esp.group(1), number);
        }
        assertTrue(last.values().stream().filter(number -> number > 1000).count() >= 3, last::toString);
    }

    private static void shouldHaveHandedOver(Run run) {
        long outbound = 0;
        long inbound = 0;
        for (Side side : Side.values()) {
            JsonObject stat =
                    JsonParser.parseString(run.bridges.get(side).stat()).getAsJsonObject();
            outbound += stat.getAsJsonObject("outbound").get("handed_over").getAsLong();
            inbound += stat.getAsJsonObject("inbound").get("handed_over").getAsLong();
            JsonObject drops = stat.getAsJsonObject("xfrm_stat");
            assertEquals(0, drops.get("XfrmInStateSeqError").getAsLong(), drops::toString);
            assertEquals(0, drops.get("XfrmOutNoQueueSpace").getAsLong(), drops::toString);
        }
        assertTrue(outbound > 1000 && inbound > 1000, outbound + " and " + inbound);
    }

    private static int threads(BridgeProcess bridge, String name) throws IOException {
        int threads = 0;
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/" + bridge.pid() + "/task"))) {
            for (Path task : tasks) {
                threads += Files.readString(task.resolve("comm")).strip().equals(name) ? 1 : 0;
            }
        }
        return threads;
    }
}
