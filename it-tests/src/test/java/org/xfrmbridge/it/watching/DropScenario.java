package org.xfrmbridge.it.watching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.datapath.DropCause;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Topology;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Why: who asks why packets are dropped is to be told, of each reason and in words that name the fault. Topology: a
 * host with a bridge of two queues, and Scapy on the other host, which has none. Steps: for each reason SAs and
 * policies by {@code ip xfrm}, and a packet that is dropped for it, while {@code xfrm-bridge trace --drops} runs.
 * Expected: it names reason and cause, the policy or the SPI, and the fault, for people and as JSON.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.SCAPY})
class DropScenario {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String KEY = "aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128";

    /** What the setups below are made of. */
    private static final Map<String, String> WORDS = Map.of(
            "SA_IN",
            "ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1001 reqid 1 mode tunnel replay-window 32"
                    + " flag af-unspec " + KEY,
            "SA_OUT",
            "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1002 mode tunnel flag af-unspec " + KEY,
            "IN",
            "ip xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir in",
            "OUT",
            "ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir out",
            "BY",
            "tmpl src 192.0.2.2 dst 192.0.2.1 proto esp mode tunnel reqid",
            "TO",
            "tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel reqid");

    private static final String CASES = """
            InNoStates       | in-unknown-spi           | true | esp spi=0x9999 | SPI 0x00009999 (esp) to 192.0.2.1 from
            InNoStates       | in-unknown-spi           | \
            SA_IN; ip xfrm state delete dst 192.0.2.1 proto esp spi 0x1001 | esp | this side deleted it
            InHdrError       | in-cut-short             | SA_IN | short | too short to name an SA
            InStateSeqError  | in-replayed              | SA_IN; IN BY 1 | esp times=2 | number 1 of SA 0x00001001
            InStateSeqError  | in-outside-window        | SA_IN; IN BY 1 | esp seq=100 then esp seq=1 | \
            The highest until now is 100, the window 32 bits
            InStateProtoError | in-not-authentic        | SA_IN | esp corrupt=1 | integrity check of number 1 failed
            InStateExpired   | in-limit-reached         | SA_IN limit packet-hard 1; IN BY 1 | esp then esp seq=2 | \
            1 of 1 packets
            InStateMismatch  | in-selector-differs      | SA_IN sel src 10.2.0.9 dst 10.1.0.0/16; IN BY 1 | esp | \
            whose selector is for other packets: src 10.2.0.9/32
            InStateMismatch  | in-encapsulation-differs | SA_IN encap espinudp 4500 4500 0.0.0.0 | esp | \
            a NAT, or its port, has changed
            InStateModeError | in-mode-differs          | SA_IN | transport | is not what its mode wants
            AcquireError     | in-state-larval          | \
            ip xfrm state allocspi src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel min 0x3000 max 0x3000 | \
            esp spi=0x3000 | has no keys yet
            InNoPols         | in-no-policy             | SA_IN; IN BY 1 | esp dst=10.9.0.1 | no fwd policy is for it
            InNoPols         | in-no-policy             | SA_IN; IN mark 7 BY 1 | esp | \
            it is for mark 0x7/0xffffffff, and the packet has mark 0x0
            InPolBlock       | in-blocked               | IN action block | clear | blocks udp 10.2.0.1:1111
            InTmplMismatch   | in-not-protected         | IN BY 1 | clear | came in the clear, and in policy
            InTmplMismatch   | in-template-unmet        | SA_IN; IN BY 5 | esp | its reqid is 1, not 5
            InTmplMismatch   | in-tunnel-unwanted       | SA_IN; IN | esp | has no template for that tunnel
            InBufferError    | in-too-many-templates    | IN BY 1 BY 2 BY 3 BY 4 BY 5 BY 6 | clear | six templates
            OutPolBlock      | out-blocked              | OUT action block | ping | blocks icmp 10.1.0.1 -> 10.2.0.1
            OutPolError      | out-too-many-templates   | OUT TO 1 TO 2 TO 3 TO 4 TO 5 TO 6 | ping | six templates
            OutNoStates      | out-no-state             | SA_OUT reqid 2; OUT TO 1 | ping | its reqid is 2, not 1
            OutNoStates      | out-no-state             | \
            SA_OUT reqid 1; ip xfrm state delete dst 192.0.2.2 proto esp spi 0x1002; OUT TO 1 | ping | \
            SA 0x00001002, which served, was deleted
            OutBundleGenError | out-no-way              | ip route add unreachable 198.51.100.1; \
            ip xfrm state add src 192.0.2.1 dst 198.51.100.1 proto esp spi 5 reqid 1 mode tunnel KEY; \
            OUT tmpl src 192.0.2.1 dst 198.51.100.1 proto esp reqid 1 mode tunnel | ping | no way to 198.51.100.1
            OutStateModeError | out-too-long            | SA_OUT reqid 1; \
            ip xfrm policy add src 10.2.0.0/16 dst 10.3.0.0/16 dir out TO 1 | clear dst=10.3.0.1 size=1460 df=1 | \
            may not be divided (DF) and is longer than the 1446 bytes
            OutStateExpired  | out-limit-reached        | SA_OUT reqid 1 limit packet-hard 1; OUT TO 1 | ping | \
            1 of 1 packets
            OutStateSeqError | out-numbers-used-up      | SA_OUT reqid 1 replay-oseq 0xffffffff; OUT TO 1 | ping | \
            the last was 4294967295
            OutError         | out-overlong             | SA_OUT reqid 1; OUT TO 1 | ping -s 65500 | \
            would be longer than an IP packet can be
            OutStateProtoError | out-seal-failed        | \
            ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto ah spi 6 mode transport auth sha1 0x0102; \
            ip xfrm policy add src 192.0.2.1 dst 192.0.2.2 dir out tmpl proto ah mode transport | own options | \
            could not be protected by SA 0x00000006
            InError          | in-not-divisible         | \
            SA_IN; ip xfrm policy add src fd02::/64 dst fd01::/64 dir in BY 1 | pieces | \
            cannot be divided again for the host
            """;

    private static final String OF_DIRECTIONS = """
            InStateDirError  | in-state-for-out | 2 | SA_IN; IN BY 1           | esp  | was added for dir out
            OutStateDirError | out-state-for-in | 1 | SA_OUT reqid 1; OUT TO 1 | ping | was added for dir in
            """;

    /** With a test each; that of the last one is VrfScenario. */
    private static final Set<String> SINGLE = Set.of("InStateInvalid", "OutNoQueueSpace", "FwdHdrError");

    private static Scene scene;
    private static Topology topology;
    private static BridgeProcess bridge;
    private static Daemon json;
    private static Daemon text;
    private static int holds;

    @BeforeAll
    static void start() {
        scene = new Scene("drops");
        topology = Topology.direct(scene);
        bridge = BridgeProcess.launch(scene, topology.left().host(), Attachment.STACK, List.of("--queues", "2"));
        bridge.awaitReady();
        topology.left().routeTo(topology.right(), Gateway.Family.IPV4);
        topology.left().host().sysctl("ipv4.conf.all.forwarding", 1);
        topology.left().host().route("10.3.0.0/16", "192.0.2.2");
        for (String program : List.of("wrong.py", "merged.py", "hold.py")) {
            try (InputStream script = DropScenario.class.getResourceAsStream(program)) {
                Files.copy(script, scene.file(program));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        json = trace("json", "--drops", "--json");
        text = trace("text", "--drops");
    }

    @AfterAll
    static void end() {
        if (scene != null) {
            scene.close();
        }
    }

    private static Command ask(String... words) {
        List<String> line = new ArrayList<>(List.of(BridgeProcess.program().toString(), words[0], "--dir"));
        line.add(bridge.directory().toString());
        line.addAll(List.of(words).subList(1, words.length));
        return topology.left().host().command(line);
    }

    private static Daemon trace(String name, String... options) {
        List<String> words = new ArrayList<>(List.of("trace"));
        words.addAll(List.of(options));
        Daemon trace = scene.own(topology.left()
                .host()
                .start("trace", scene.file("trace-" + name + ".log"), ask(words.toArray(String[]::new))));
        trace.awaitOutput("watching packets", SOON);
        return trace;
    }

    private static void setUp(String setup) {
        String script = "ip xfrm state flush; ip xfrm policy flush; " + setup;
        for (Map.Entry<String, String> word : WORDS.entrySet()) {
            script = script.replaceAll("\\b" + word.getKey() + "\\b", word.getValue());
        }
        bridge.run("sh", "-ec", script);
    }

    /**
     * Stops threads that send, the eldest first, as a machine does that has no processor for them; until it is
     * finished.
     */
    private static Daemon holdOutbound(int threads) {
        Command command = python(topology.left(), "hold.py", "" + bridge.pid(), "outbound", "" + threads);
        // A file of its own: what another has said is not its word.
        Daemon hold = beside(topology.left(), "hold-" + ++holds, command.withOpenInput());
        hold.awaitOutput("holds", SOON);
        return hold;
    }

    /** What begins with "ping" or "own" is sent by the host itself, all else to it; but for "ping" by wrong.py. */
    private static void provoke(String packets) {
        if (packets.startsWith("ping")) {
            List<String> line = new ArrayList<>(List.of(packets.split(" ")));
            line.addAll(List.of("-c", "3", "-i", "0.2", "-W", "1", "10.2.0.1"));
            topology.left().host().command(line).result();
            return;
        }
        for (String packet : packets.split(" then ")) {
            wrong(packet).run();
        }
    }

    private static Command wrong(String packet) {
        List<String> words = new ArrayList<>(List.of(mac()));
        words.addAll(List.of(packet.replaceFirst("own ", "").split(" ")));
        Gateway sender = packet.startsWith("own ") ? topology.left() : topology.right();
        return python(sender, "wrong.py", words.toArray(String[]::new));
    }

    private static String mac() {
        return topology.left().host().run("cat", "/sys/class/net/eth0/address").strip();
    }

    private static Command python(Gateway at, String program, String... words) {
        List<String> line =
                new ArrayList<>(List.of(Requirement.PYTHON, scene.file(program).toString()));
        line.addAll(List.of(words));
        return at.host().command(line);
    }

    @ParameterizedTest(name = "{0} {1}: {4}")
    @CsvSource(delimiter = '|', textBlock = CASES)
    void shouldNameReasonAndFault(String reason, String cause, String setup, String packets, String words) {
        int known = json.output().length();
        int shown = text.output().length();
        setUp(setup.replace("KEY", KEY));
        provoke(packets);
        assertNamed(known, shown, reason, cause, words);
    }

    /** Later programs than Debian 12's {@code ip} give an SA a direction (XFRMA_SA_DIR). */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = OF_DIRECTIONS)
    void shouldNameReasonWhenAnSaIsForTheOtherDirection(
            String reason, String cause, int direction, String setup, String packets, String words) throws IOException {
        int known = json.output().length();
        int shown = text.output().length();
        setUp(setup);
        try (XfrmClient xfrm = Clients.xfrmOfBridge(bridge.directory())) {
            StateSpec sa = xfrm.states().findFirst().orElseThrow().spec();
            xfrm.flushStates(IpProtocol.ANY);
            xfrm.addState(sa.toBuilder().direction(direction).replayWindow(0).build());
        }
        provoke(packets);
        assertNamed(known, shown, reason, cause, words);
    }

    /**
     * One thread gets no processor while another hands over to it more than it takes. States that are used together are
     * the first thread's.
     */
    @Test
    void shouldNameReasonWhereAThreadIsBehind() {
        int known = json.output().length();
        int shown = text.output().length();
        setUp("SA_OUT reqid 1; ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1003 reqid 2 mode tunnel "
                + KEY + "; ip xfrm policy add src 10.2.0.0/16 dst 10.3.0.0/16 dir out TO 1 TO 2");
        long before = timesBehind();
        try (Daemon hold = holdOutbound(1)) {
            // By their hash some of these flows come to that thread itself, and wait.
            for (int port = 1111; port < 1141 && timesBehind() == before; port++) {
                python(topology.right(), "merged.py", mac(), "" + port).run();
            }
            hold.finish(SOON);
        }
        String line = assertNamed(
                known, shown, "OutNoQueueSpace", "out-backlog-full", "belongs to another thread of the bridge");
        assertTrue(line.contains("\"selector\":\"src 10.2.0.0/16 dst 10.3.0.0/16\""), line);
    }

    /**
     * An SA that has reached its hard limit goes with the timers of the control thread's turn. This one lasts: who
     * deletes an out policy waits until what the host sent before has gone, and the threads that send get no processor.
     * There are two who delete, so that one waits when the other's turn is over.
     */
    @Test
    void shouldNameReasonWhileAnSaThatHasEndedIsFoundStill() {
        int known = json.output().length();
        int shown = text.output().length();
        setUp("ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1001 reqid 1 mode tunnel flag af-unspec "
                + "limit packet-hard 1 " + KEY + "; IN BY 1; SA_OUT reqid 1; OUT TO 1; " + policies("add", 8)
                + policies("add", 9));
        try (Daemon _ = holdOutbound(2)) {
            topology.left().host().command("ping", "-c1", "-W1", "10.2.0.1").result();
            beside(topology.left(), "delete-8", bridge.command("sh", "-ec", policies("delete", 8)));
            beside(topology.left(), "delete-9", bridge.command("sh", "-ec", policies("delete", 9)));
            try (Daemon _ = beside(topology.right(), "sender", wrong("esp times=600 every=0.05"))) {
                String line = assertNamed(
                        known, shown, "InStateInvalid", "in-state-ended", ", and the peer still sends with it");
                assertTrue(line.contains("\"spi\":\"0x00001001\""), line);
            }
        }
    }

    private static Daemon beside(Gateway at, String name, Command command) {
        return scene.own(at.host().start(name, scene.file(name + ".log"), command));
    }

    private static long timesBehind() {
        return JsonParser.parseString(bridge.stat())
                .getAsJsonObject()
                .getAsJsonObject("xfrm_stat")
                .get("XfrmOutNoQueueSpace")
                .getAsLong();
    }

    /** Commands for thirty of them. */
    private static String policies(String verb, int network) {
        return "seq 30 | sed 's,.*,xfrm policy " + verb + " src 10." + network
                + ".&.0/24 dst 10.2.0.0/16 dir out,' | ip -batch -; ";
    }

    /** @param known how much the trace as JSON had said before, {@code shown} the other. @return the line of JSON */
    private static String assertNamed(int known, int shown, String reason, String cause, String words) {
        String named = "\"reason\":\"Xfrm" + reason + "\",\"cause\":\"" + cause + "\",\"sentence\":\"";
        json.await("say " + named, SOON, () -> json.output().substring(known).contains(named));
        String line = json.output()
                .substring(known)
                .lines()
                .filter(each -> each.contains(named))
                .findFirst()
                .get();
        assertTrue(line.contains(words), line);
        assertTrue(line.contains("\"advice\":\""), line);
        text.await("say " + words, SOON, () -> text.output().substring(shown).contains(words));
        return line;
    }

    @Test
    void shouldLeaveNoReasonUnprovoked() {
        Stream<String> ofCases = (CASES + OF_DIRECTIONS).lines().map(line -> line.replaceFirst(" *\\|.*", ""));
        Set<String> provoked = Stream.concat(ofCases, SINGLE.stream()).collect(Collectors.toSet());
        Set<String> given = Arrays.stream(DropCause.values())
                .map(cause -> cause.reason().label())
                .collect(Collectors.toSet());
        assertEquals(given, provoked);
    }

    /** What was dropped is there also for who comes later, and none of it shows a key. */
    @Test
    void shouldRememberDropsAndShowNoKey() {
        setUp("SA_IN; IN BY 1");
        provoke("esp spi=0x7777 times=3");
        text.await("say it", SOON, () -> text.output().contains("SPI 0x00007777"));

        String drops = ask("drops").run();
        String why = ask("why", "10.2.0.1", "10.1.0.1", "dir", "in", "--json")
                .result()
                .output();

        assertTrue(drops.contains("no State for SPI 0x00007777"), drops);
        assertTrue(drops.contains(", 3 times since "), drops);
        assertTrue(why.contains("it may come through SA 0x00001001"), why);
        String all = drops
                + why
                + json.output()
                + text.output()
                + ask("drops", "--json").run();
        assertTrue(!all.contains("0102030405060708090a0b0c0d0e0f1011121314"), "a key");
    }

    @Test
    void shouldAnswerRootAlone() {
        Command.Result refused = topology.left()
                .host()
                .command(
                        "setpriv",
                        "--reuid=nobody",
                        "--clear-groups",
                        // The program may be in root's home.
                        "--inh-caps=+dac_read_search",
                        "--ambient-caps=+dac_read_search",
                        BridgeProcess.program().toString(),
                        "drops",
                        "--dir",
                        bridge.directory().toString())
                .result();
        assertEquals(1, refused.exitCode(), refused.output());
    }
}
