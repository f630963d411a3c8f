package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the C tests of the preload library ({@code src/test/c}), each in a process of its own with the library loaded and with a mock
 * bridge in a fresh directory; and the shell fragment that loads the library into a command.
 */
class PreloadLibraryTest {
    private static final Path SOURCES = Path.of("src/test/c");
    private static final List<String> SUITE =
            List.of("suite.c", "netlink_tests.c", "restart_tests.c", "registry_tests.c", "process_tests.c", "caller_tests.c");
    private static final Path LIBRARY = Path.of("target/libxfrm-bridge.so").toAbsolutePath();
    private static final Path LAUNCHER = Path.of("src/main/sh/exec.sh").toAbsolutePath();
    private static final int PATIENCE_SECONDS = 30;

    /** Short names in a short directory: a unix socket's path has 107 bytes. */
    private static Path work;

    private record Result(int status, String output) {}

    /** The library and its suite, as they are or as a sanitizer wants them. @param preload what is loaded before the library, with a colon */
    private record Build(String preload, Path library, Path suite) {}

    private static Build plain;

    @BeforeAll
    static void compile() throws Exception {
        work = Files.createTempDirectory("xb");
        compile("mock", List.of("mock.c"));
        compile("late.so", List.of("late.c"), "-shared", "-fPIC");
        compile("suite", SUITE, "-rdynamic");
        plain = new Build("", LIBRARY, work.resolve("suite"));
    }

    @AfterAll
    static void clean() throws IOException {
        try (Stream<Path> files = Files.walk(work)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> shouldPassInC() throws Exception {
        return testsOf(plain, "");
    }

    /** {@code -Dpreload.sanitizers=thread,address,undefined}; without it there are none. */
    @TestFactory
    Stream<DynamicTest> shouldPassInCUnderSanitizers() throws Exception {
        Stream<DynamicTest> tests = Stream.empty();
        for (String sanitizer : System.getProperty("preload.sanitizers", "").split(",")) {
            if (!sanitizer.isBlank()) {
                tests = Stream.concat(tests, testsOf(sanitized(sanitizer), sanitizer + ": "));
            }
        }
        return tests;
    }

    private static Stream<DynamicTest> testsOf(Build build, String prefix) throws Exception {
        List<String> names = run(new ProcessBuilder(build.suite.toString())).output().lines().toList();
        assertTrue(names.size() > 30, "the suite lists its tests");
        return names.stream().map(name -> DynamicTest.dynamicTest(prefix + name, () -> runInC(build, name)));
    }

    /** A sanitizer's own library must be the first: it stands in front of the same calls. */
    private static Build sanitized(String sanitizer) throws Exception {
        String option = "-fsanitize=" + sanitizer;
        String runtime = "lib" + sanitizer.charAt(0) + (sanitizer.equals("undefined") ? "b" : "") + "san.so";
        Path first = Path.of(run(new ProcessBuilder("cc", "-print-file-name=" + runtime)).output().strip()).toRealPath();
        String library = "libxfrm-bridge-" + sanitizer + ".so";
        try (Stream<Path> sources = Files.list(Path.of("src/main/c"))) {
            List<String> files = sources.map(Path::toAbsolutePath).map(Path::toString).filter(name -> name.endsWith(".c")).toList();
            compile(library, files, "-g", option, "-fPIC", "-shared", "-fvisibility=hidden");
        }
        compile("suite-" + sanitizer, SUITE, "-g", option, "-rdynamic");
        return new Build(first + ":", work.resolve(library), work.resolve("suite-" + sanitizer));
    }

    @Test
    void shouldRefuseInOneSentenceWhenThereIsNoBridge() throws Exception {
        Result result = run(new ProcessBuilder(LAUNCHER.toString(), "--dir", work.resolve("none").toString(), "--", "true"));
        assertEquals(1, result.status());
        assertEquals(1, result.output().lines().count(), result.output());
        assertTrue(result.output().startsWith("xfrm-bridge: no bridge in " + work), result.output());
    }

    @Test
    void shouldRefuseInOneSentenceWhenThereIsNoCommand() throws Exception {
        Result result = run(new ProcessBuilder(LAUNCHER.toString(), "--dir", "x", "--"));
        assertEquals(2, result.status());
        assertEquals(1, result.output().lines().count(), result.output());
    }

    @ParameterizedTest
    @CsvSource({"6.12, 6.12.0", "6.9.3, 6.9.3"})
    void shouldTellTheWantedReleaseWhenALevelIsGiven(String level, String release) throws Exception {
        assertEquals(release + "\n", underMock("--kernel-level", level, "--", "uname", "-r").output());
    }

    @Test
    void shouldTellTheKernelsReleaseWhenNoLevelIsGiven() throws Exception {
        assertEquals(System.getProperty("os.version") + "\n", underMock("--", "uname", "-r").output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"6", "6.", ".6", "6..1", "v6.1", "6.1-x"})
    void shouldRefuseALevelThatIsNoRelease(String level) throws Exception {
        Result result = underMock("--kernel-level=" + level, "--", "true");
        assertEquals(2, result.status());
        assertEquals(1, result.output().lines().count(), result.output());
    }

    /** Runs the launcher with a mock bridge behind it. */
    private static Result underMock(String... arguments) throws Exception {
        Path directory = Files.createTempDirectory(work, "d");
        Process mock = new ProcessBuilder(work.resolve("mock").toString(), directory.toString()).start();
        try {
            assertEquals('r', mock.getInputStream().read());
            List<String> command = new ArrayList<>(List.of(LAUNCHER.toString(), "--dir", directory.toString()));
            command.addAll(List.of(arguments));
            return run(new ProcessBuilder(command));
        } finally {
            mock.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldPrependTheLibraryWhenAScriptStartsTheCommand() throws Exception {
        Path directory = Files.createTempDirectory(work, "d");
        Process mock = new ProcessBuilder(work.resolve("mock").toString(), directory.toString()).start();
        try {
            assertEquals('r', mock.getInputStream().read());
            String script = "cd /; sh -c 'cat /proc/net/xfrm_stat; echo $XFRM_BRIDGE_DIR $LD_PRELOAD'";
            var command = new ProcessBuilder(LAUNCHER.toString(), "--dir", directory.toString(), "--", "sh", "-c", script);
            command.environment().put("LD_PRELOAD", LIBRARY.toString());
            Result result = run(command);
            assertEquals(0, result.status(), result.output());
            assertTrue(result.output().startsWith("XfrmInError             \t7\n" + directory + " /"), result.output());
            assertTrue(result.output().endsWith("libxfrm-bridge.so:" + LIBRARY + "\n"), result.output());
        } finally {
            mock.destroyForcibly().waitFor();
        }
    }

    private static void runInC(Build build, String name) throws Exception {
        var test = new ProcessBuilder(build.suite.toString(), name);
        test.environment().put("LD_PRELOAD", build.preload + build.library + ':' + work.resolve("late.so"));
        test.environment().put("XFRM_BRIDGE_DIR", Files.createTempDirectory(work, "d").toString());
        test.environment().put("XFRM_BRIDGE_MOCK", work.resolve("mock").toString());
        // Some tests end processes without their memory freed, and call in signal handlers what a kernel allows there.
        test.environment().put("ASAN_OPTIONS", "detect_leaks=0");
        test.environment().put("TSAN_OPTIONS", "die_after_fork=0");
        Result result = run(test);
        assertEquals(0, result.status(), result.output());
        assertEquals("", result.output(), "the library is silent");
    }

    private static void compile(String program, List<String> sources, String... options) throws Exception {
        List<String> command = new ArrayList<>(
                List.of("cc", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", work.resolve(program).toString()));
        command.addAll(List.of(options));
        sources.forEach(source -> command.add(SOURCES.resolve(source).toString()));
        Result result = run(new ProcessBuilder(command));
        assertEquals(0, result.status(), result.output());
    }

    /** A file takes the output, since a pipe would make a child that hangs hang the test, too. */
    private static Result run(ProcessBuilder builder) throws Exception {
        Path output = Files.createTempFile(work, "o", "");
        Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(builder.command() + " still runs after " + PATIENCE_SECONDS + " s: " + Files.readString(output));
        }
        return new Result(process.exitValue(), Files.readString(output));
    }
}
