package org.xfrmbridge.lab;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A program that runs beside until it is ended, with its output in a file.
 *
 * <p>The process started is the program itself: {@code ip netns exec}, {@code unshare} and {@code xfrm-bridge exec} all
 * replace themselves by what they start, so a signal reaches what is meant.
 */
public final class Daemon implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final String name;
    private final Path log;
    private final Process process;

    private Daemon(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
    }

    public static Daemon start(String name, Path log, Command command) {
        return new Daemon(name, log, command.start(log));
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public boolean succeeded() {
        return !isAlive() && process.exitValue() == 0;
    }

    /** Everything printed so far, by this run and by earlier ones that used the same file. */
    public String output() {
        return Command.text(log);
    }

    /** Waits until the log holds {@code text}. Throws if the program ends or the limit passes before. */
    public void awaitOutput(String text, Duration limit) {
        await("print '" + text + "'", limit, () -> output().contains(text));
    }

    /** Waits for the condition. Throws if the program ends or the limit passes before. */
    public void await(String what, Duration limit, BooleanSupplier condition) {
        Await.until(name + " to " + what, limit, () -> {
            boolean alive = isAlive();
            boolean holds = condition.getAsBoolean();
            if (!holds && !alive) {
                throw ended();
            }
            return holds;
        });
    }

    private LabException ended() {
        String output = output();
        return new LabException(
                name + " ended early, its last words: " + new Command.Result(process.exitValue(), output).reason(),
                output);
    }

    /** Whether it sleeps: it waits for something to happen, and has done all there was to do. */
    public boolean isAsleep() {
        String stat = Command.text(Path.of("/proc/" + pid() + "/stat"));
        return stat.charAt(stat.lastIndexOf(')') + 2) == 'S';
    }

    /** SIGTERM, and its exit code; SIGKILL and an error if it does not end within ten seconds. */
    public int terminate() {
        process.destroy();
        if (!ended(PATIENCE)) {
            kill9();
            throw new LabException(name + " did not end after SIGTERM", output());
        }
        return process.exitValue();
    }

    /** SIGINT: what Ctrl-C sends; tools like fping print their summary then. Returns the whole output. */
    public String interrupt() {
        // The shell's own: a program of that name is not on every machine.
        Command.of("sh", "-c", "kill -INT " + pid()).result();
        if (!ended(PATIENCE)) {
            kill9();
            throw new LabException(name + " did not end after SIGINT", output());
        }
        return output();
    }

    /** SIGKILL, and waits for the end. */
    public void kill9() {
        process.destroyForcibly();
        ended(PATIENCE);
    }

    /** Tells it that nothing more comes on its standard input, waits for its end, and returns its output. */
    public String finish(Duration limit) {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended already: all the better.
        }
        if (!ended(limit)) {
            kill9();
            throw new LabException(name + " did not end within " + limit.toSeconds() + " s", output());
        }
        return output();
    }

    private boolean ended(Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        if (isAlive()) {
            terminate();
        }
    }
}
