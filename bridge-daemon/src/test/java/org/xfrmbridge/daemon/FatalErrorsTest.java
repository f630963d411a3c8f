package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FatalErrorsTest {
    /** A program whose hook would hang, as one that detaches could, and whose main thread would go on. */
    static final class Program {
        private static Object[] kept;

        public static void main(String[] arguments) throws InterruptedException {
            Thread ends = new Thread(
                    switch (arguments[0]) {
                        case "throws" ->
                            () -> {
                                throw new OutOfMemoryError("no more");
                            };
                        case "fills" -> Program::fill;
                        default -> Program::endUnread;
                    },
                    "inbound");
            ends.setUncaughtExceptionHandler(new FatalErrors());
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("detached")));
            ends.start();
            Thread.sleep(Long.MAX_VALUE);
        }

        /** To the last byte, and all of it stays. */
        private static void fill() {
            while (true) {
                Object[] last = kept;
                kept = new Object[1];
                kept[0] = last;
            }
        }

        /** Another thread waits with the lock of System.err, for a reader that never comes. */
        private static void endUnread() {
            Thread.ofPlatform().daemon().start(() -> {
                while (true) {
                    System.err.println("a line like any other, of which nobody reads a single one");
                }
            });
            try {
                TimeUnit.SECONDS.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new NoClassDefFoundError("missing");
        }
    }

    private static Process start(String argument) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(
                        java,
                        "-Xmx24m",
                        "-XX:+UseParallelGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName(),
                        argument)
                .redirectErrorStream(true)
                .start();
    }

    private static String outputOf(Process program) throws Exception {
        String output = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(FatalErrors.EXIT_CODE, program.waitFor(), output);
        return output;
    }

    @Test
    void shouldEndTheProgramWithoutDetachingWhenAThreadEndsByAnError() throws Exception {
        String output = outputOf(start("throws"));
        assertTrue(output.contains("the inbound thread ended") && output.contains("no more"), output);
        assertTrue(!output.contains("detached"), output);
    }

    @Test
    void shouldSaySoWhenNoMemoryIsLeftForALine() throws Exception {
        String output = outputOf(start("fills"));
        assertTrue(output.contains("out of memory: the bridge ends"), output);
    }

    @Test
    void shouldEndTheProgramThoughNobodyReadsWhatItSays() throws Exception {
        Process program = start("is unread");
        try {
            assertTrue(program.waitFor(30, TimeUnit.SECONDS), "it goes on");
            assertEquals(FatalErrors.EXIT_CODE, program.exitValue());
        } finally {
            program.destroyForcibly();
        }
    }
}
