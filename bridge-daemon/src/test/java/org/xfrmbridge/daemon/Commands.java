package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands that tests run, and C programs that they compile. */
final class Commands {
    private static final int PATIENCE_SECONDS = 120;

    /** What a command said, on both streams, and its exit status. */
    record Result(int status, String output) {}

    private Commands() {}

    static Result run(String... command) throws Exception {
        return run(new ProcessBuilder(command));
    }

    /** A file takes the output, since a pipe would make a child that hangs hang the test, too. */
    static Result run(ProcessBuilder builder) throws Exception {
        Path output = Files.createTempFile("xb", "");
        try {
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(builder.command() + " still runs after " + PATIENCE_SECONDS + " s: "
                        + Files.readString(output));
            }
            return new Result(process.exitValue(), Files.readString(output));
        } finally {
            Files.delete(output);
        }
    }

    static void compile(Path program, Collection<Path> sources, String... options) throws Exception {
        compile("cc", program, sources, options);
    }

    /** The same by another compiler. */
    static void compile(String compiler, Path program, Collection<Path> sources, String... options) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program.toString()));
        command.addAll(List.of(options));
        sources.forEach(source -> command.add(source.toString()));
        Result result = run(new ProcessBuilder(command));
        assertEquals(0, result.status(), result.output());
    }
}
