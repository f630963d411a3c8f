package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.KeyedHosts;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
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
    private static final Pattern ESP = Pattern.compile("ESP\\(spi=0x([0-9a-f]+),seq=0x([0-9a-f]+)\\)");

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldKeepSasWholeAndFlowsInOrder(Attachment attachment) throws IOException {
        try (Scene scene = new Scene("queues-" + attachment)) {
            Topology topology = Topology.direct(scene);
            Sniffer sniffer = Sniffer.start(scene, topology.wire(), Topology.LEFT_PORT);
            KeyedHosts hosts = KeyedHosts.start(scene, topology, attachment, List.of("--queues", "4"));
            for (Side side : Side.values()) {
                hosts.run(side, states(hosts) + policies(hosts, side));
            }
            hosts.serveIperf(scene);
            for (Side side : Side.values()) {
                assertEquals(4, threads(hosts.bridge(side), "outbound"));
                assertEquals(4, threads(hosts.bridge(side), "inbound"));
            }

            shouldKeepOrder(hosts, "-t2");
            shouldKeepOrder(hosts, "-t2", "-R");
            hosts.iperf(LIMIT, "-P4", "-b10M", "-t2");
            hosts.iperf(LIMIT, "-P4", "-b10M", "-t2", "-R");
            shouldNumberAllPackets(sniffer);
            shouldHaveHandedOver(hosts);

            BridgeProcess left = hosts.bridge(Side.LEFT);
            for (int queues : new int[] {2, 1}) {
                left.kill9();
                left.start(List.of("--queues", "" + queues));
                assertEquals(queues, threads(left, "outbound"));
                for (Side side : Side.values()) {
                    hosts.run(side, "ip xfrm state flush\n" + states(hosts));
                }
                shouldKeepOrder(hosts, "-t1");
                shouldKeepOrder(hosts, "-t1", "-R");
            }
        }
    }

    private static String states(KeyedHosts hosts) {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < PROTOCOLS.size(); i++) {
            commands.append(hosts.state(Side.LEFT, 0x1001 + i, i + 1, "replay-window 32"));
            commands.append(hosts.state(Side.RIGHT, 0x2001 + i, i + 1, "replay-window 32"));
        }
        return commands.toString();
    }

    private static String policies(KeyedHosts hosts, Side at) {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < PROTOCOLS.size(); i++) {
            for (Side from : Side.values()) {
                commands.append(hosts.policy(at, from, i + 1, " proto " + PROTOCOLS.get(i)));
            }
        }
        return commands.toString();
    }

    private static void shouldKeepOrder(KeyedHosts hosts, String... options) {
        List<String> line = new ArrayList<>(List.of("-u", "-P4", "-l", "1200", "-b", "5M"));
        line.addAll(List.of(options));
        JsonObject end = hosts.iperf(LIMIT, line.toArray(String[]::new));
        for (JsonElement stream : end.getAsJsonArray("streams")) {
            JsonObject udp = stream.getAsJsonObject().getAsJsonObject("udp");
            assertEquals(0, udp.get("out_of_order").getAsLong(), udp::toString);
            assertEquals(0, udp.get("lost_packets").getAsLong(), udp::toString);
            assertTrue(udp.get("packets").getAsLong() > 100, udp::toString);
        }
    }

    /** As they were on the wire, each SA's from 1 on. */
    private static void shouldNumberAllPackets(Sniffer sniffer) {
        Map<String, Long> last = new HashMap<>();
        for (String packet : sniffer.packets("esp")) {
            Matcher esp = ESP.matcher(packet);
            assertTrue(esp.find(), packet);
            long number = Long.parseLong(esp.group(2), 16);
            assertEquals(last.getOrDefault(esp.group(1), 0L) + 1, number, packet);
            last.put(esp.group(1), number);
        }
        assertTrue(last.values().stream().filter(number -> number > 1000).count() >= 3, last::toString);
    }

    private static void shouldHaveHandedOver(KeyedHosts hosts) {
        long outbound = 0;
        long inbound = 0;
        for (Side side : Side.values()) {
            JsonObject stat = hosts.stat(side);
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
