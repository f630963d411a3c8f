package org.xfrmbridge.it.watching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.NetTunnels;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Command.Result;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: who runs a bridge watches it by what they have, Prometheus, a browser, a terminal. Topology: two gateways with
 * tunnels between their networks, and traffic. Steps: the metrics of one are scraped, and given to promtool; its page
 * is opened in Chromium, also with names that are markup; top runs on a terminal; a bridge that shows nothing is looked
 * at. Expected: promtool finds nothing; the page shows SAs, rates and what was dropped, and runs nothing; who shows
 * nothing loads nothing for it.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.TCPDUMP, Requirement.DEBIAN_PYTHON})
class WatchingScenario {
    private static final String ADDRESS = "127.0.0.1:9477";
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    /** Until the second look at the figures: the first knows no rates. Nobody watches traffic that has ended. */
    private static final String SHOWN = """
            new Promise(done => { const look = () => document.querySelectorAll('#sas tbody tr').length >= 4 \
            && /out [1-9]/.test(document.querySelector('#plots').textContent) ? done('shown') : setTimeout(look, 200); \
            look(); })""";

    private static final String HOSTILE = """
            (() => { const name = '<img src=x onerror="document.title=1">'; const sa = { ...before.sas[0], \
            algorithm: name, source: name, phase: name }; show({ ...before, place: name, sas: [sa], \
            drops: { [name]: 1 }, policies: [{ ...before.policies[0], selector: name }] }); \
            return document.querySelectorAll('img').length + ' ' + document.title + ' ' \
            + document.querySelector('#sas tbody td:nth-child(2)').textContent; })()""";

    private static final String WHY = """
            (async () => { document.querySelector('#question').value = '10.1.0.1 10.2.0.1 proto icmp'; \
            document.querySelector('#why button').click(); \
            while (!document.querySelector('#answer').textContent) await new Promise(done => setTimeout(done, 100)); \
            return document.querySelector('#answer').textContent; })()""";

    private static BridgedPair hosts;

    @BeforeAll
    static void start() {
        hosts = BridgedPair.start(
                "watching", Topology::gateways, Attachment.STACK, Attachment.STACK, List.of("--metrics", ADDRESS));
        NetTunnels.install(hosts, inner -> inner);
    }

    @AfterAll
    static void end() {
        hosts.close();
    }

    private static Namespace left() {
        return hosts.topology().site(Side.LEFT).host();
    }

    private static String get(String path) {
        return left().command(
                        Requirement.PYTHON,
                        "-c",
                        "import sys, urllib.request; "
                                + "sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=20).read())",
                        "http://" + ADDRESS + path)
                .run();
    }

    @Test
    @Requires(Requirement.PROMTOOL)
    void shouldBeScrapedWithoutAComplaint() throws IOException {
        Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4).send();
        String metrics = get("/metrics");
        assertTrue(metrics.contains("xfrm_bridge_requests_total{errno=\"0\",message=\"XFRM_MSG_NEWSA\"}"), metrics);
        assertTrue(metrics.contains("xfrm_bridge_verdicts_total{direction=\"out\",verdict=\"protected\"}"), metrics);
        Path file = Files.writeString(hosts.scene().file("metrics.txt"), metrics);
        Result check = Command.of("sh", "-c", "\"$1\" check metrics <\"$2\"", "check", promtool(), file.toString())
                .result();
        assertEquals("", check.output());
        assertEquals(0, check.exitCode());
    }

    @Test
    @Requires(Requirement.PROMTOOL)
    void shouldHaveAlertsThatGoOffWhenTheyShould() {
        Command.of(promtool(), "check", "rules", "../packaging/prometheus-rules.yml")
                .run();
        Command.of(promtool(), "test", "rules", "../packaging/prometheus-rules-test.yml")
                .run();
    }

    private static String promtool() {
        return Requirement.promtool().toString();
    }

    @Test
    @Requires(Requirement.CHROMIUM)
    void shouldShowAPageThatRunsNothingOfOthers() throws IOException {
        Ping traffic = Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4).payloadBytes(1000);
        traffic.start(hosts.scene(), 2000, 10);
        Path script = resource("browse.py");
        Path questions = Files.writeString(
                hosts.scene().file("questions"),
                String.join(
                        "\n",
                        SHOWN,
                        "document.querySelector('#sas').textContent",
                        "document.querySelector('#trouble').textContent",
                        WHY,
                        HOSTILE,
                        "show(before)",
                        ""));
        Path picture = hosts.scene().file("page.png");
        List<String> answers = left().command(
                        "sh",
                        "-c",
                        "exec \"$1\" \"$2\" \"$3\" \"$4\" <\"$5\"",
                        "browse",
                        Requirement.PYTHON,
                        script.toString(),
                        "http://" + ADDRESS + "/",
                        picture.toString(),
                        questions.toString())
                .within(PATIENCE)
                .run()
                .lines()
                .toList();
        assertEquals("\"shown\"", answers.get(0));
        assertTrue(answers.get(1).contains("rfc4106(gcm(aes))"), answers.get(1));
        assertFalse(answers.get(1).contains("000102030405"), answers.get(1));
        assertEquals("\"\"", answers.get(2));
        assertTrue(answers.get(3).contains("would be protected"), answers.get(3));
        assertTrue(answers.get(3).contains("10.2.0.0/16"), answers.get(3));
        assertEquals(
                "\"0 xfrm-bridge <img src=x onerror=\\\"document.title=1\\\">\"", answers.get(4), "markup was run");
        assertTrue(Files.size(picture) > 10_000, "the picture is empty");
    }

    /** The capabilities of an xterm: another screen, and the one before it again. */
    @Test
    void shouldFillATerminalAndLeaveItAsItWas() throws IOException {
        String seen = left().command(
                        Requirement.PYTHON,
                        resource("terminal.py").toString(),
                        "2s1q",
                        BridgeProcess.program().toString(),
                        "top",
                        "--seconds=1",
                        "--dir=" + hosts.bridge(Side.LEFT).directory())
                .within(PATIENCE)
                .run();
        assertTrue(seen.contains("SAs by bits a second"), seen);
        assertTrue(seen.contains("policies by uses"), seen);
        assertTrue(seen.contains("rfc4106(gcm(aes))"), seen);
        assertFalse(seen.contains("000102030405"), seen);
        assertTrue(seen.indexOf("\u001b[?1049h") >= 0, "the screen before is kept");
        assertTrue(seen.indexOf("\u001b[?1049l") > seen.indexOf("\u001b[?1049h"), "and comes back");
    }

    @Test
    void shouldPrintOnceForScripts() {
        String text = left().command(
                        BridgeProcess.program().toString(),
                        "top",
                        "--once",
                        "--dir=" + hosts.bridge(Side.LEFT).directory())
                .run();
        assertTrue(text.contains("REQID") && text.contains("10.1.0.0/16 -> 10.2.0.0/16"), text);
        Result refused = left().command(
                        BridgeProcess.program().toString(),
                        "top",
                        "--dir=" + hosts.bridge(Side.LEFT).directory())
                .result();
        assertEquals(
                "xfrm-bridge: this is no terminal: use --once", refused.output().strip());
    }

    private static Path resource(String name) throws IOException {
        Path file = hosts.scene().file(name);
        try (InputStream text = WatchingScenario.class.getResourceAsStream(name)) {
            return Files.write(file, text.readAllBytes());
        }
    }

    @Test
    void shouldLoadNothingForWhatIsNotShown() throws IOException {
        Namespace other = new Namespace(hosts.scene(), "quiet");
        Path classes = hosts.scene().file("classes.txt");
        Result run = other.command(
                        "sh",
                        "-c",
                        "\"$1\" run --dir \"$2\" --log-level warn >\"$2.log\" 2>&1 & "
                                + "until grep -q '^ready' \"$2.log\"; do sleep 0.1; done; kill $!; wait $!",
                        "run",
                        BridgeProcess.program().toString(),
                        hosts.scene().file("quiet-bridge").toString())
                .with("XFRM_BRIDGE_JAVA_OPTIONS", "-Xlog:class+load:file=" + classes)
                .within(PATIENCE)
                .result();
        assertEquals(0, run.exitCode(), run.output());
        assertEquals(
                "ready",
                Files.readString(hosts.scene().file("quiet-bridge.log")).strip());
        String loaded = Files.readString(classes);
        assertTrue(loaded.contains("org.xfrmbridge.daemon.Bridge "), "no list of classes");
        for (String part : List.of(
                "io.prometheus.", "com.sun.net.httpserver.", "org.jline.", "daemon.web.W", "daemon.flight.Sa")) {
            assertFalse(loaded.contains(part), part);
        }
    }
}
