package org.xfrmbridge.it.firstcontact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command.Result;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: what a running bridge answers by itself is asked without a JVM, which takes a hundred times as long to start.
 * Topology: a host without interfaces, and a bridge. Steps: it is asked in all forms, with the small program and
 * without it, and where there is no JDK. Expected: the same text and exit code both ways.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class AskingScenario {
    /** What passes between two questions. */
    private static final Pattern PASSING = Pattern.compile("(uptime[ _]seconds\\W+)\\d+");

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static Scene scene;
    private static Newcomer user;
    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        scene = new Scene("asking");
        Namespace host = new Namespace(scene, "host");
        user = new Newcomer(scene, host);
        bridge = BridgeProcess.start(scene, host, Attachment.STACK);
    }

    @AfterAll
    static void end() {
        scene.close();
    }

    /** By the program of Java alone. */
    private static List<String> slowly() {
        return Newcomer.after("mount --bind /dev/null \"$(dirname \"$1\")\"/bridge-daemon/target/xfrm-bridge-ask");
    }

    private static Result ask(List<String> prefix, String words) {
        Result result = user.command(
                        prefix,
                        words.replace("DIR", bridge.directory().toString()).split(" "))
                .with(
                        "XFRM_BRIDGE_DIR",
                        words.contains("--dir") ? "/absent" : bridge.directory().toString())
                .result();
        return new Result(result.exitCode(), PASSING.matcher(result.output()).replaceAll("$1"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stat",
                "stat --json",
                "stat --dir DIR",
                "stat --dir=DIR",
                "stat --json --dir DIR",
                "stat --dir DIR --json",
                "stat --dir=",
                "stat --dir DIR --dir DIR",
                "stat --json --json",
                "stat --json=true",
                "stat --jsn",
                "stat --dir",
                "stat --dir --json",
                "stat more",
                "stat --help",
                "stat --dir /absent",
                "status",
                "status --json",
                "status --dir DIR",
                "status --dir=DIR --json",
                "status --jsn",
                "status --dir /absent",
            })
    void shouldAnswerTheSameBothWays(String words) {
        assertEquals(ask(slowly(), words), ask(List.of(), words));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stat",
                "stat --json",
                "stat --dir DIR",
                "stat --dir=DIR --json",
                "status",
                "status --json",
                "status --dir DIR"
            })
    void shouldNeedNoJvmForPlainQuestions(String words) {
        // The firewall is looked at when the first one asks.
        Await.until(
                "the answer", PATIENCE, () -> ask(Newcomer.withoutJdk(), words).exitCode() == 0);
        Result result = ask(Newcomer.withoutJdk(), words);
        assertEquals(0, result.exitCode(), result.output());
        assertTrue(result.output().matches("(?s).*(states|SAs ).*"), result.output());
    }

    /** What others have changed is seen at once. */
    @Test
    void shouldSayWhatTheFirewallHasNow() {
        Await.until(
                "the answer",
                PATIENCE,
                () -> ask(Newcomer.withoutJdk(), "status").exitCode() == 0);
        for (int i = 0; i < 3; i++) {
            user.host().run("sh", "-ec", """
                    nft add table ip f
                    nft 'add chain ip f c'
                    nft add rule ip f c meta ipsec exists accept
                    """);
            Result with = ask(List.of(), "status");
            assertTrue(
                    with.output().contains("\nfirewall       1 rule of the firewall is for a kernel's"), with.output());
            user.host().run("nft", "delete", "table", "ip", "f");
            Result without = ask(List.of(), "status");
            assertFalse(without.output().contains("\nfirewall"), without.output());
        }
    }

    @Test
    void shouldTellTheTimeOfWhoAsks() {
        String zone = "Asia/Tokyo";
        Await.until(
                "the answer",
                PATIENCE,
                () -> ask(Newcomer.withoutJdk(), "status").exitCode() == 0);
        List<String> there = List.of("env", "TZ=" + zone);
        String said = ask(there, "status").output();
        List<String> slowly = new ArrayList<>(there);
        slowly.addAll(slowly());
        assertEquals(ask(slowly, "status").output(), said);
        assertNotEquals(ask(List.of("env", "TZ=UTC"), "status").output(), said);
    }

    @Test
    void shouldAskWhereTheConfigurationFileSays() throws IOException {
        String text = "# where it is\ndir = " + bridge.directory() + "\nmark-opened=0x10\n";
        for (String command : List.of("stat", "exec -- ip xfrm state count")) {
            Result result =
                    user.command(user.configured(text), command.split(" ")).result();
            assertEquals(0, result.exitCode(), result.output());
        }
    }

    @Test
    void shouldNeedNoJvmWhereTheConfigurationFileIsForRunAlone() throws IOException {
        List<String> prefix = new ArrayList<>(user.configured("# a comment\n\nmark-opened=0x10\nclamp-mss\n"));
        prefix.addAll(Newcomer.withoutJdk());
        assertEquals(0, ask(prefix, "stat").exitCode());
    }
}
