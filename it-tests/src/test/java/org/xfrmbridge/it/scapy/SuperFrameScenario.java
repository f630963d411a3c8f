package org.xfrmbridge.it.scapy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: packets that travel together must be on the wire as if each had travelled alone. Topology: two hosts with
 * bridges on one veth, which carries super-frames and unfinished checksums, and then has the kernel cut and finish
 * them. Steps: an ESP tunnel in UDP with fixed keys, a TCP stream, and trains of datagrams (UDP_SEGMENT), captured
 * where they arrive; with super-frames and with {@code --no-offload}. Expected: what was sent arrives, and Scapy opens
 * every packet on the wire: none longer than the MTU, sequence numbers one after the other, lengths and checksums
 * right, no identification twice. Where super-frames are carried, they are uncut.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.SCAPY,
    Requirement.TCPDUMP,
    Requirement.ETHTOOL
})
class SuperFrameScenario {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final String PROGRAM = "superframes.py";
    private static final String KEY = " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128"
            + " encap espinudp 4500 4500 0.0.0.0\n";

    private static final Pattern VERDICT = Pattern.compile("packets (\\d+) long (\\d+) datagrams (\\d+)");

    /**
     * @param packets of ESP in UDP @param longer than the MTU @param datagrams that were inside, if they were opened
     */
    private record Verdict(int packets, int longer, int datagrams) {}

    private record Run(Scene scene, Topology topology, Map<Side, BridgeProcess> bridges, Path program, String family) {
        String address(Side side) {
            Gateway.Addresses inner = topology.site(side).inner();
            return family.equals("4") ? inner.v4() : inner.v6();
        }

        String outer(Side side) {
            Gateway.Addresses outer = topology.site(side).outer();
            return family.equals("4") ? outer.v4() : outer.v6();
        }

        Namespace host(Side side) {
            return topology.site(side).host();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "WIRE, 4, true",
        "WIRE, 6, true",
        "WIRE, 4, false",
        "STACK, 4, true",
        "STACK, 6, true",
        "STACK, 4, false"
    })
    void shouldBeOnTheWireAsIfEachTravelledAlone(Attachment attachment, String family, boolean offload)
            throws IOException {
        try (Scene scene = new Scene("superframes-" + attachment + "-" + family + "-" + offload)) {
            Run run = start(scene, attachment, family, offload ? List.of() : List.of("--no-offload"));
            databases(run);
            String stat = run.bridges.get(Side.LEFT).stat();
            boolean single = !offload || Boolean.getBoolean("xfrm-bridge.no-offload");
            assertEquals(single, stat.contains("\"super_frames\": \"none: --no-offload\""), stat);

            Verdict uncut = exchange(run, "count");
            // Of old kernels a TAP takes none.
            boolean carried = !single && (attachment == Attachment.STACK || stat.contains("TCP and UDP"));
            assertEquals(carried, uncut.longer > 0, uncut::toString);
            for (Side side : Side.values()) {
                run.host(side).run("ethtool", "-K", Gateway.DEVICE, "tx", "off");
            }
            // Sequence numbers begin again.
            databases(run);
            Verdict cut = exchange(run, "judge");
            assertEquals(0, cut.longer, cut::toString);
            assertTrue(cut.packets > 2000, cut::toString);
            assertEquals(800, cut.datagrams, cut::toString);
        }
    }

    private static Run start(Scene scene, Attachment attachment, String family, List<String> options)
            throws IOException {
        Topology topology = Topology.direct(scene);
        Path program = scene.file(PROGRAM);
        try (InputStream text = SuperFrameScenario.class.getResourceAsStream(PROGRAM)) {
            Files.copy(text, program);
        }
        Run run = new Run(scene, topology, new EnumMap<>(Side.class), program, family);
        for (Side side : Side.values()) {
            run.bridges.put(side, BridgeProcess.launch(scene, run.host(side), attachment, options));
        }
        for (Side side : Side.values()) {
            BridgeProcess bridge = run.bridges.get(side);
            bridge.awaitReady();
            Side other = side == Side.LEFT ? Side.RIGHT : Side.LEFT;
            run.host(side)
                    .ip("route", "replace", run.address(other), "via", run.outer(other), "src", run.address(side));
            Command encapsulate = bridge.command(Requirement.PYTHON, program.toString(), "encapsulate");
            Daemon sockets =
                    scene.own(run.host(side).start("python3", scene.file(side + "-encapsulate.log"), encapsulate));
            sockets.awaitOutput("open", LIMIT);
        }
        return run;
    }

    private static void databases(Run run) {
        String left = run.outer(Side.LEFT);
        String right = run.outer(Side.RIGHT);
        StringBuilder states = new StringBuilder("ip xfrm state flush\nip xfrm policy flush\n");
        states.append("ip xfrm state add src " + left + " dst " + right + " spi 0x1001" + tunnel() + KEY);
        states.append("ip xfrm state add src " + right + " dst " + left + " spi 0x1002" + tunnel() + KEY);
        for (Side side : Side.values()) {
            String outbound = side == Side.LEFT ? "out" : "in";
            String inbound = side == Side.LEFT ? "in" : "out";
            run.bridges
                    .get(side)
                    .run(
                            "sh",
                            "-ec",
                            states
                                    + policy(run, Side.LEFT, Side.RIGHT, outbound)
                                    + policy(run, Side.RIGHT, Side.LEFT, inbound));
        }
    }

    private static String tunnel() {
        return " proto esp reqid 1 mode tunnel replay-window 128";
    }

    private static String policy(Run run, Side from, Side to, String direction) {
        return "ip xfrm policy add src " + run.address(from) + " dst " + run.address(to) + " dir " + direction
                + " tmpl src " + run.outer(from) + " dst " + run.outer(to) + " proto esp reqid 1 mode tunnel\n";
    }

    private static Verdict exchange(Run run, String judge) {
        Path pcap = run.scene.file(judge + ".pcap");
        Daemon tcpdump = run.scene.own(run.host(Side.RIGHT)
                .start(
                        "tcpdump",
                        run.scene.file(judge + ".log"),
                        run.host(Side.RIGHT).command(capture(pcap))));
        tcpdump.awaitOutput("listening on", LIMIT);
        Daemon server = run.scene.own(run.host(Side.RIGHT)
                .start("python3", run.scene.file(judge + "-serve.log"), program(run, Side.RIGHT, "serve")));
        server.awaitOutput("open", LIMIT);
        program(run, Side.LEFT, "send").within(LIMIT).run();
        server.awaitOutput("datagrams True", LIMIT);
        assertTrue(server.output().contains("stream True"), server::output);
        tcpdump.interrupt();
        String verdict = Command.of(
                        Requirement.PYTHON, run.program.toString(), judge, pcap.toString(), "0x1001", run.family)
                .within(LIMIT)
                .run();
        Matcher matcher = VERDICT.matcher(verdict);
        assertTrue(matcher.find(), verdict);
        List<Integer> numbers = new ArrayList<>();
        for (int group = 1; group <= 3; group++) {
            numbers.add(Integer.valueOf(matcher.group(group)));
        }
        return new Verdict(numbers.get(0), numbers.get(1), numbers.get(2));
    }

    private static List<String> capture(Path pcap) {
        return List.of(("tcpdump -n -U --immediate-mode -Z root -s 0 -B 65536 -i " + Gateway.DEVICE + " -w " + pcap)
                .split(" "));
    }

    private static Command program(Run run, Side side, String what) {
        return run.host(side).command(Requirement.PYTHON, run.program.toString(), what, run.address(Side.RIGHT));
    }
}
