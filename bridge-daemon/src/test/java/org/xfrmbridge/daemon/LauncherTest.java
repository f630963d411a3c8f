package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.Commands.Result;
import org.xfrmbridge.daemon.os.CurrentProcess;

/**
 * {@code xfrm-bridge exec}: what it loads the preload library into, with a mock bridge, and what it refuses in one
 * sentence.
 */
class LauncherTest {
    private static final Path LIBRARY = Path.of("target/libxfrm-bridge.so").toAbsolutePath();
    private static final Path SCRIPT = Path.of("src/main/sh/exec.sh").toAbsolutePath();
    private static final Path PROGRAM = Path.of("src/test/c/program.c");
    private static final String DIVERTED = "secure 0, XfrmInError             \t7\n";

    private static Path work;
    private static Path program;
    private static Process mock;

    /** Where nobody, too, finds all that exec needs, whatever may be read of the tree that is built here. */
    private static Path script;

    @BeforeAll
    static void start() throws Exception {
        work = Files.createTempDirectory("xb");
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
        script = Files.copy(SCRIPT, work.resolve("exec.sh"));
        Files.copy(LIBRARY, work.resolve("libxfrm-bridge.so"));
        Files.copy(Path.of("target/xfrm-bridge-exec"), work.resolve("xfrm-bridge-exec"));
        Commands.compile(work.resolve("mock"), List.of(Path.of("src/test/c/mock.c")));
        program = compile("program");
        mock = new ProcessBuilder(work.resolve("mock").toString(), work.toString()).start();
        assertEquals('r', mock.getInputStream().read());
        for (String socket : List.of("netlink.sock", "control.sock")) {
            Files.setPosixFilePermissions(work.resolve(socket), PosixFilePermissions.fromString("rwxrwxrwx"));
        }
    }

    @AfterAll
    static void clean() throws Exception {
        mock.destroyForcibly().waitFor();
        try (Stream<Path> files = Files.walk(work)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static Path compile(String name, String... options) throws Exception {
        Commands.compile(work.resolve(name), List.of(PROGRAM), options);
        return work.resolve(name);
    }

    private static Result exec(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", SCRIPT.toString(), "--dir", work.toString()));
        command.addAll(List.of(arguments));
        return Commands.run(new ProcessBuilder(command));
    }

    private static void assertRefused(String reason, Result result) {
        assertEquals(1, result.status(), result.output());
        assertEquals(1, result.output().lines().count(), result.output());
        assertTrue(
                result.output().startsWith("xfrm-bridge: ") && result.output().contains(reason), result.output());
    }

    @Test
    void shouldRefuseInOneSentenceWhenThereIsNoBridge() throws Exception {
        Path none = work.resolve("none");
        assertRefused(
                "no bridge in " + none, Commands.run("sh", SCRIPT.toString(), "--dir", none.toString(), "--", "true"));
    }

    @Test
    void shouldRefuseInOneSentenceWhenThereIsNoCommand() throws Exception {
        Result result = exec("--");
        assertEquals(2, result.status());
        assertEquals(1, result.output().lines().count(), result.output());
        assertEquals(127, exec("--", "no-such-command").status());
    }

    @ParameterizedTest
    @CsvSource({"6.12, 6.12.0", "6.9.3, 6.9.3"})
    void shouldTellTheWantedReleaseWhenALevelIsGiven(String level, String release) throws Exception {
        assertEquals(
                release + "\n",
                exec("--kernel-level", level, "--", "uname", "-r").output());
    }

    @Test
    void shouldTellTheKernelsReleaseWhenNoLevelIsGiven() throws Exception {
        assertEquals(
                System.getProperty("os.version") + "\n",
                exec("--", "uname", "-r").output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"6", "6.", ".6", "6..1", "v6.1", "6.1-x"})
    void shouldRefuseALevelThatIsNoRelease(String level) throws Exception {
        Result result = exec("--kernel-level=" + level, "--", "true");
        assertEquals(2, result.status());
        assertEquals(1, result.output().lines().count(), result.output());
    }

    @Test
    void shouldPrependTheLibraryWhenAScriptStartsTheCommand() throws Exception {
        String text = "cd /; sh -c 'cat /proc/net/xfrm_stat; echo $XFRM_BRIDGE_DIR $LD_PRELOAD'";
        var command = new ProcessBuilder(SCRIPT.toString(), "--dir", work.toString(), "--", "sh", "-c", text);
        command.environment().put("LD_PRELOAD", LIBRARY.toString());
        Result result = Commands.run(command);
        assertEquals(0, result.status(), result.output());
        assertTrue(result.output().startsWith("XfrmInError             \t7\n" + work + " /"), result.output());
        assertTrue(result.output().endsWith("libxfrm-bridge.so:" + LIBRARY + "\n"), result.output());
    }

    @Test
    void shouldRunWhatTheLibraryIsLoadedInto() throws Exception {
        assertEquals(new Result(0, DIVERTED), exec("--", program.toString()));
        assertEquals(
                new Result(0, DIVERTED), exec("--", script("through-env", "#!/usr/bin/env -S sh\n" + program + "\n")));
        assertEquals(new Result(0, DIVERTED), exec("--", script("no-interpreter", program + "\n")));
        assertEquals(new Result(0, ""), exec("--", "true"));
    }

    @Test
    void shouldRefuseWhatNoLibraryIsLoadedIntoButForForce() throws Exception {
        String fixed = compile("fixed", "-static").toString();
        assertRefused(fixed + " is a static program", exec("--", fixed));
        assertRefused(
                "fixed-pie is a static program",
                exec(compile("fixed-pie", "-static-pie", "-fPIE").toString()));
        assertRefused(fixed + " is a static program", exec("--", script("script", "#! " + fixed + " argument\n")));
        assertRefused(
                fixed + " is a static program",
                exec("--", script("script-of-a-script", "#!" + work.resolve("script") + "\n")));
        Result forced = exec("--force", "--", fixed);
        assertEquals(0, forced.status());
        assertTrue(forced.output().startsWith("secure 0, "), forced.output());
    }

    @Test
    void shouldRefuseWhatPassesTheLibraryBy() throws Exception {
        assertRefused("is a Go program", exec("--", compile("go", "-DGO").toString()));
        assertRefused(
                "another C library (ld-musl-x86_64.so.1)",
                exec(
                        "--",
                        compile("musl", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1")
                                .toString()));
    }

    @Test
    void shouldFindACommandThatIsAScriptOfAProgramInThePath() throws Exception {
        compile("in-path", "-static");
        var command = new ProcessBuilder("sh", SCRIPT.toString(), "--dir", work.toString(), "by-env");
        command.environment().merge("PATH", work.toString(), (path, added) -> path + ":" + added);
        script("by-env", "#!/usr/bin/env in-path\n");
        assertRefused("in-path is a static program", Commands.run(command));
    }

    @Test
    void shouldRunWhatItLookedAtWhenThereIsNoPath() throws Exception {
        Path place = Files.createDirectory(work.resolve("place"));
        compile("place/true", "-static");
        var command = new ProcessBuilder("sh", SCRIPT.toString(), "--dir", work.toString(), "--", "true");
        command.directory(place.toFile()).environment().remove("PATH");
        assertEquals(new Result(0, ""), Commands.run(command));
    }

    @Test
    void shouldFindTheProgramBehindOptionsOfEnvThatHaveWords() throws Exception {
        String fixed = compile("fixed-in-env", "-static").toString();
        String options = script("options", "#!/usr/bin/env -S -u NAME -C / " + fixed + "\n");
        assertRefused("fixed-in-env is a static program", exec(options));
    }

    @Test
    void shouldNotOpenWhatIsNoFile() throws Exception {
        String pipe = work.resolve("pipe").toString();
        assertEquals(0, Commands.run("mkfifo", "-m", "755", pipe).status());
        String interpreted = script("interpreted-by-a-pipe", "#!" + pipe + "\n");
        assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertEquals(126, exec(interpreted).status()));
    }

    /** The kernel says which programs may not trust their environment: all those, and no others, are refused. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, 755, false, 0", "0, 0, 4755, false, 0", "0, 0, 2755, false, 0", "65534, 0, 4755, false, 0",
                "0, 65534, 2755, false, 0",
        "0, 65534, 2745, false, 0", "0, 0, 755, true, 0", "0, 0, 755, false, 65534", "0, 0, 4755, false, 65534",
                "0, 0, 2755, false, 65534",
        "0, 0, 2745, false, 65534", "65534, 65534, 6755, false, 65534", "0, 0, 755, true, 65534"
    })
    void shouldRefuseWhatGetsMoreRightsThanTheCaller(int user, int group, String mode, boolean capable, int caller)
            throws Exception {
        assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root, to make setuid programs");
        Path subject = Files.copy(program, work.resolve("subject"));
        try {
            assertEquals(
                    0,
                    Commands.run("chown", user + ":" + group, subject.toString())
                            .status());
            assertEquals(0, Commands.run("chmod", mode, subject.toString()).status());
            assertEquals(
                    0,
                    capable
                            ? Commands.run(program.toString(), "grant", subject.toString())
                                    .status()
                            : 0);
            List<String> as = List.of("setpriv", "--reuid=" + caller, "--regid=" + caller, "--clear-groups");
            judge(as, subject);
            List<String> bounded = new ArrayList<>(as);
            bounded.add("--no-new-privs");
            judge(bounded, subject);
        } finally {
            Files.delete(subject);
        }
    }

    private static void judge(List<String> as, Path subject) throws Exception {
        List<String> alone = new ArrayList<>(as);
        alone.add(subject.toString());
        boolean secure = Commands.run(new ProcessBuilder(alone)).output().startsWith("secure 1");
        List<String> diverted = new ArrayList<>(as);
        diverted.addAll(List.of("sh", script.toString(), "--dir", work.toString(), "--", subject.toString()));
        Result result = Commands.run(new ProcessBuilder(diverted));
        if (secure) {
            assertRefused(subject.toString(), result);
        } else {
            assertEquals(new Result(0, DIVERTED), result);
        }
    }

    private static String script(String name, String text) throws Exception {
        Path file = Files.writeString(work.resolve(name), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file.toString();
    }
}
