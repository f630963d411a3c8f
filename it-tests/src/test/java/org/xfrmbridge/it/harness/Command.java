package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A command that runs to its end: arguments, environment, time limit. Immutable but for the environment.
 *
 * <p>Standard output and error arrive in one text, in the order they were written; standard input is empty.
 */
public final class Command {
    private static final Duration DEFAULT_LIMIT = Duration.ofSeconds(30);

    private final List<String> arguments;
    private final Map<String, String> environment = new HashMap<>();
    private Duration limit = DEFAULT_LIMIT;

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

    /** Runs it and returns what it printed. Throws {@link CommandException} if it exits with another code than 0. */
    public String run() {
        Result result = result();
        if (result.exitCode() != 0) {
            throw new CommandException(this + ": exit code " + result.exitCode() + "\n" + result.output());
        }
        return result.output();
    }

    /** Runs it whatever its exit code. Throws {@link CommandException} if the time limit passes. */
    public Result result() {
        Path output = temporaryFile();
        Process process = null;
        try {
            process = start(output);
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new CommandException(this + ": no end within " + limit + "\n" + text(output));
            }
            return new Result(process.exitValue(), text(output));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException(this + ": interrupted");
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
            delete(output);
        }
    }

    private static Path temporaryFile() {
        try {
            return Files.createTempFile("xb-it-", ".out");
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
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(arguments));
        builder.environment().putAll(environment);
        builder.environment().put("LC_ALL", "C");
        builder.redirectErrorStream(true);
        builder.redirectInput(Path.of("/dev/null").toFile());
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
    public record Result(int exitCode, String output) {}

    /** A command that failed, with what it printed. */
    public static final class CommandException extends RuntimeException {
        CommandException(String message) {
            super(message);
        }
    }
}
