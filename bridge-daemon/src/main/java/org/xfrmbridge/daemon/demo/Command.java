package org.xfrmbridge.daemon.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A command to run to its end: arguments, environment, time limit. Standard input is empty; output and errors arrive in
 * one text, in the order they were written, which is also added to a log.
 */
final class Command {
    private static final long DEFAULT_LIMIT_SECONDS = 15;

    private final Path log;
    private final List<String> arguments;
    private final Map<String, String> environment = new HashMap<>();
    private long limitSeconds = DEFAULT_LIMIT_SECONDS;

    Command(Path log, List<String> arguments) {
        this.log = log;
        // Ctrl-C is for the demo alone, which then ends what it started in the right order; setsid keeps the pid.
        this.arguments = new ArrayList<>(List.of("setsid"));
        this.arguments.addAll(arguments);
    }

    Command with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    Command within(long seconds) {
        limitSeconds = seconds;
        return this;
    }

    /** How a command ended. */
    record Result(int exitCode, String output) {
        boolean succeeded() {
            return exitCode == 0;
        }

        /** The last line of the output: what tools say when they give up. */
        String reason() {
            String text = output.strip();
            return text.isEmpty() ? "exit code " + exitCode : text.substring(text.lastIndexOf('\n') + 1);
        }
    }

    /** Runs it; returns its output. Throws if it fails. */
    String run() throws DemoException, InterruptedException {
        Result result = result();
        if (!result.succeeded()) {
            throw new DemoException("\"" + this + "\" failed: " + result.reason());
        }
        return result.output();
    }

    /** Runs it whatever comes of it. Throws if it doesn't end in time. */
    Result result() throws DemoException, InterruptedException {
        try {
            Path output = Files.createTempFile(log.getParent(), "command-", ".out");
            try {
                return result(output);
            } finally {
                Files.delete(output);
            }
        } catch (IOException e) {
            throw new DemoException("\"" + this + "\" could not be run: " + e.getMessage());
        }
    }

    private Result result(Path output) throws IOException, DemoException, InterruptedException {
        Process process = start(output);
        try {
            boolean ended = process.waitFor(limitSeconds, TimeUnit.SECONDS);
            Result result = new Result(ended ? process.exitValue() : -1, Files.readString(output));
            note(result);
            if (!ended) {
                throw new DemoException("\"" + this + "\" did not end within " + limitSeconds + " s");
            }
            return result;
        } finally {
            process.destroyForcibly();
        }
    }

    private void note(Result result) throws IOException {
        String entry = "$ " + this + '\n' + result.output()
                + (result.succeeded() ? "" : "exit code " + result.exitCode() + '\n');
        Files.writeString(log, entry, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /**
     * Starts it with its output added to a file. Its standard input is a pipe that is open until the demo closes it or
     * ends.
     */
    Process start(Path output) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(arguments);
        builder.environment().putAll(environment);
        builder.environment().put("PATH", Machine.searchPath());
        builder.environment().put("LC_ALL", "C");
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
        return builder.start();
    }

    @Override
    public String toString() {
        return String.join(" ", arguments.subList(1, arguments.size()));
    }
}
