package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.Commands.Result;

/**
 * Runs the C tests of the preload library ({@code src/test/c}), each in a process of its own with the library loaded
 * and with a mock bridge in a fresh directory.
 */
class PreloadLibraryTest {
    private static final Path SOURCES = Path.of("src/test/c");
    private static final List<String> SUITE = List.of(
            "suite.c", "netlink_tests.c", "restart_tests.c", "registry_tests.c", "process_tests.c", "caller_tests.c");
    private static final Path LIBRARY = Path.of("target/libxfrm-bridge.so").toAbsolutePath();
    private static final Path MUSL_LIBRARY =
            Path.of("target/libxfrm-bridge-musl.so").toAbsolutePath();
    /** Debian 12 has 2.36, Ubuntu 22.04 has 2.35. */
    private static final int NEWEST_GLIBC_MINOR = 34;

    private static final Pattern GLIBC_SYMBOL = Pattern.compile("GLIBC_2\\.([0-9]+)\\S*\\s+\\S+");

    /** Short names in a short directory: a unix socket's path has 107 bytes. */
    private static Path work;

    /**
     * The library and its suite, as they are, as a sanitizer wants them, or for musl.
     *
     * @param directory of all else that is compiled with the same C library
     * @param preload what is loaded before the library, with a colon
     */
    private record Build(Path directory, String preload, Path library, Path suite) {}

    private static Build plain;

    @BeforeAll
    static void compile() throws Exception {
        work = Files.createTempDirectory("xb");
        plain = compileAll(work, "cc", LIBRARY);
    }

    private static Build compileAll(Path directory, String compiler, Path library, String... options) throws Exception {
        compile(compiler, directory.resolve("mock"), List.of("mock.c"), options);
        compile(compiler, directory.resolve("late.so"), List.of("late.c"), with(options, "-shared", "-fPIC"));
        compile(compiler, directory.resolve("suite"), SUITE, with(options, "-rdynamic"));
        return new Build(directory, "", library, directory.resolve("suite"));
    }

    private static String[] with(String[] options, String... more) {
        return Stream.concat(Stream.of(options), Stream.of(more)).toArray(String[]::new);
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

    /** The library that the build makes for musl. */
    @TestFactory
    Stream<DynamicTest> shouldPassInCWithMusl() throws Exception {
        assumeTrue(Files.exists(MUSL_LIBRARY), "needs musl-gcc (package musl-tools), and the library built with it");
        String triplet = Commands.run("gcc", "-print-multiarch").output().strip();
        Build build = compileAll(
                Files.createDirectory(work.resolve("musl")),
                "musl-gcc",
                MUSL_LIBRARY,
                "-idirafter",
                "/usr/include",
                "-idirafter",
                "/usr/include/" + triplet);
        return testsOf(build, "musl: ");
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

    /** A container or chroot that they are put into may have an older glibc than the machine that built them. */
    @ParameterizedTest
    @ValueSource(strings = {"libxfrm-bridge.so", "xfrm-bridge-exec", "xfrm-bridge-guard", "xfrm-bridge-ask"})
    void shouldNeedNoNewGlibc(String file) throws Exception {
        assumeTrue(Commands.run("sh", "-c", "command -v objdump").status() == 0, "needs objdump (package binutils)");
        Result symbols = Commands.run("objdump", "-T", "target/" + file);
        assertEquals(0, symbols.status(), symbols.output());
        assertTrue(symbols.output().contains("DYNAMIC SYMBOL TABLE"), symbols.output());
        assertEquals(
                List.of(),
                GLIBC_SYMBOL
                        .matcher(symbols.output())
                        .results()
                        .filter(symbol -> Integer.parseInt(symbol.group(1)) > NEWEST_GLIBC_MINOR)
                        .map(MatchResult::group)
                        .toList());
    }

    private static Stream<DynamicTest> testsOf(Build build, String prefix) throws Exception {
        List<String> names =
                Commands.run(build.suite.toString()).output().lines().toList();
        assertTrue(names.size() > 30, "the suite lists its tests");
        return names.stream().map(name -> DynamicTest.dynamicTest(prefix + name, () -> runInC(build, name)));
    }

    /** A sanitizer's own library must be the first: it stands in front of the same calls. */
    private static Build sanitized(String sanitizer) throws Exception {
        String option = "-fsanitize=" + sanitizer;
        String runtime = "lib" + sanitizer.charAt(0) + (sanitizer.equals("undefined") ? "b" : "") + "san.so";
        Path first = Path.of(Commands.run("cc", "-print-file-name=" + runtime)
                        .output()
                        .strip())
                .toRealPath();
        String library = "libxfrm-bridge-" + sanitizer + ".so";
        try (Stream<Path> sources = Files.list(Path.of("src/main/c"))) {
            List<String> files = sources.map(Path::toAbsolutePath)
                    .map(Path::toString)
                    .filter(name -> name.endsWith(".c"))
                    .toList();
            compile("cc", work.resolve(library), files, "-g", option, "-fPIC", "-shared", "-fvisibility=hidden");
        }
        Path suite = work.resolve("suite-" + sanitizer);
        compile("cc", suite, SUITE, "-g", option, "-rdynamic");
        return new Build(work, first + ":", work.resolve(library), suite);
    }

    private static void runInC(Build build, String name) throws Exception {
        var test = new ProcessBuilder(build.suite.toString(), name);
        test.environment().put("LD_PRELOAD", build.preload + build.library + ':' + build.directory.resolve("late.so"));
        test.environment()
                .put("XFRM_BRIDGE_DIR", Files.createTempDirectory(work, "d").toString());
        test.environment()
                .put("XFRM_BRIDGE_MOCK", build.directory.resolve("mock").toString());
        // Some tests end processes without their memory freed, and call in signal handlers what a kernel allows there.
        test.environment().put("ASAN_OPTIONS", "detect_leaks=0");
        test.environment().put("TSAN_OPTIONS", "die_after_fork=0");
        Result result = Commands.run(test);
        assertEquals(0, result.status(), result.output());
        assertEquals("", result.output(), "the library is silent");
    }

    private static void compile(String compiler, Path program, List<String> sources, String... options)
            throws Exception {
        Commands.compile(
                compiler, program, sources.stream().map(SOURCES::resolve).toList(), options);
    }
}
