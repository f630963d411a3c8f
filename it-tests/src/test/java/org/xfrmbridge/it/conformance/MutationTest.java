package org.xfrmbridge.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The comparison finds faults: each of these is put into the server, alone, and must show in the recordings. The
 * changed class stands before all others on the class path of another JVM; nothing in the tree is touched.
 */
class MutationTest {
    private static final String NETLINK = "bridge-netlink/src/main/java/org/xfrmbridge/netlink/";
    private static final String CORE = "bridge-core/src/main/java/org/xfrmbridge/";

    /** One fault: in a source file one text in the place of another. */
    enum Fault {
        WRONG_ERRNO(
                CORE + "km/StateVerbs.java",
                "throw new XfrmException(Errno.EEXIST)",
                "throw new XfrmException(Errno.EBUSY)"),
        MISSING_ATTRIBUTE(NETLINK + "map/StateEncoder.java", "AttributeValues.putMark(out, spec.mark());", ""),
        SWAPPED_BYTE_ORDER(
                NETLINK + "msg/UsersaId.java", "out.putInt(Structs.bigEndian(id.spi()))", "out.putInt(id.spi())"),
        MISSING_EVENT(CORE + "km/PolicyVerbs.java", "keyManagers.tell(km -> km.policiesFlushed(type, origin));", ""),
        MISSING_GROUP(NETLINK + "server/NetlinkKeyManager.java", "EventGroup.put(message.written(), group);", ""),
        WRONG_PRIORITY(CORE + "db/SpdEntry.java", "(priority ^ Integer.MIN_VALUE)", "~(priority ^ Integer.MIN_VALUE)");

        private final String file;
        private final String text;
        private final String replacement;

        Fault(String file, String text, String replacement) {
            this.file = file;
            this.text = text;
            this.replacement = replacement;
        }

        /** Compiles the changed source to a directory. */
        void compileTo(Path classes) throws IOException {
            Path source = Path.of("..", file);
            String original = Files.readString(source);
            assertTrue(original.contains(text), () -> file + " has changed: name another fault for " + this);
            Path changed = classes.resolveSibling(source.getFileName());
            Files.writeString(changed, original.replace(text, replacement));
            int result = ToolProvider.getSystemJavaCompiler()
                    .run(null, null, null, "-nowarn", "-cp", classPath(), "-d", classes.toString(), changed.toString());
            assertEquals(0, result, "javac");
        }
    }

    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource
    void shouldBeFoundWhenTheServerHasAFault(Fault fault) throws IOException, InterruptedException {
        Path classes = Files.createDirectory(directory.resolve("classes"));
        fault.compileTo(classes);
        File output = directory.resolve("output").toFile();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        long start = System.nanoTime();

        Process run = new ProcessBuilder(
                        java,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        classes + File.pathSeparator + classPath(),
                        RecordedRun.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output)
                .start();
        boolean ended = run.waitFor(2, TimeUnit.MINUTES);
        run.destroyForcibly();

        String text = Files.readString(output.toPath());
        System.out.printf("%s, judged in %.1f s:%n%s", fault, (System.nanoTime() - start) / 1e9, text);
        assertTrue(ended, "still running");
        assertEquals(1, run.exitValue(), () -> "not found, or not run: " + text);
    }
}
