package org.xfrmbridge.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A command that runs to its end: arguments, environment, time limit.
 *
 * <p>Standard output and error arrive in one text, in the order they were written; standard input is empty.
 */
public final class Command {
    private static final Duration DEFAULT_LIMIT = Duration.ofSeconds(30);
    private static final boolean HAS_TERMINAL = hasTerminal();
    private static final Redirect NOTHING = Redirect.from(Path.of("/dev/null").toFile());

    private final List<String> arguments;
    private final Map<String, String> environment = new HashMap<>();
    private Duration limit = DEFAULT_LIMIT;
    private Redirect input = NOTHING;

    public Command(List<String> arguments) {
        this.arguments = List.copyOf(arguments);
    }

    public static Command of(String... arguments) {
        return new Command(List.of(arguments));
    }

    public Command with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    public Command within(Duration limit) {
        this.limit = limit;
        return this;
    }

    /** Its standard input is open until {@link Daemon#finish}, or until this process ends. */
    public Command withOpenInput() {
        input = Redirect.PIPE;
        return this;
    }

    /** Where the executable file of a tool is. Daemons are found too, which are not in everybody's PATH. */
    public static Optional<Path> find(String tool) {
        return Stream.of(searchPath().split(":"))
                .map(directory -> Path.of(directory, tool))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static String searchPath() {
        return System.getenv().getOrDefault("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin";
    }

    /** Runs it and returns what it printed. Throws if it exits with another code than 0. */
    public String run() {
        Result result = result();
        if (!result.succeeded()) {
            throw new LabException("\"" + this + "\" failed: " + result.reason(), result.output());
        }
        return result.output();
    }

    /** Runs it whatever its exit code. Throws if the time limit passes. */
    public Result result() {
        Path output = temporaryFile();
        Process process = null;
        try {
            process = start(output);
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new LabException("\"" + this + "\" did not end within " + limit.toSeconds() + " s", text(output));
            }
            return new Result(process.exitValue(), text(output));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("\"" + this + "\" was interrupted");
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
            delete(output);
        }
    }

    private static Path temporaryFile() {
        try {
            return Files.createTempFile("xb-", ".out");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts it with its output appended to {@code output}. */
    Process start(Path output) {
        List<String> line = new ArrayList<>(arguments);
        if (HAS_TERMINAL) {
            // Ctrl-C is for this process alone, which then ends what it started in the right order; setsid keeps the
            // pid.
            line.addFirst("setsid");
        }
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().put("PATH", searchPath());
        builder.environment().put("LC_ALL", "C");
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true);
        builder.redirectInput(input);
        builder.redirectOutput(Redirect.appendTo(output.toFile()));
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean hasTerminal() {
        try {
            Files.newInputStream(Path.of("/dev/tty")).close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    public static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return String.join(" ", arguments);
    }

    /** How a command ended. */
    public record Result(int exitCode, String output) {
        public boolean succeeded() {
            return exitCode == 0;
        }

        /** The last line of the output: what tools say when they give up. */
        public String reason() {
            return output.isBlank()
                    ? "exit code " + exitCode
                    : output.strip().lines().toList().getLast();
        }
    }
}
