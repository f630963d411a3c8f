package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FatalErrorsTest {
    /** A program whose hook would hang, as one that detaches could, and whose main thread would go on. */
    static final class Program {
        public static void main(String[] arguments) throws InterruptedException {
            Thread ends = new Thread(() -> {
                throw new OutOfMemoryError("no more");
            }, "inbound");
            ends.setUncaughtExceptionHandler(new FatalErrors());
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("detached")));
            ends.start();
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    @Test
    void shouldEndTheProgramWithoutDetachingWhenAThreadEndsByAnError() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process program = new ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(FatalErrors.EXIT_CODE, program.waitFor());
        assertTrue(output.contains("the inbound thread ended") && output.contains("no more"), output);
        assertTrue(!output.contains("detached"), output);
    }
}
