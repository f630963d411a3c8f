package org.xfrmbridge.daemon.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A program that runs beside the demo until it is ended, with its output in a file. {@code ip netns exec},
 * {@code unshare} and {@code xfrm-bridge} replace themselves by what they start, so its pid is that of the program
 * itself.
 */
final class Child implements Lab.Ending {
    private static final long PATIENCE_SECONDS = 8;

    private final String name;
    private final Path log;
    private final Process process;

    /** @param name what it is, for messages: "the bridge on host A" */
    Child(String name, Path log, Command command) throws DemoException {
        this.name = name;
        this.log = log;
        try {
            process = command.start(log);
        } catch (IOException e) {
            throw new DemoException(name + " could not be started: " + e.getMessage());
        }
    }

    String output() throws DemoException {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new DemoException("the log of " + name + " cannot be read: " + e.getMessage());
        }
    }

    /** Waits until it has printed a line that begins so. */
    void awaitLine(String beginning, long limitSeconds) throws DemoException, InterruptedException {
        await(
                "print \"" + beginning + "\"",
                limitSeconds,
                () -> output().lines().anyMatch(line -> line.startsWith(beginning)));
    }

    /** A question whose answer may be yes later. */
    interface Condition {
        boolean holds() throws DemoException, InterruptedException;
    }

    /** Waits until the condition holds; throws if the program ends before, or the time is over. */
    void await(String what, long limitSeconds, Condition condition) throws DemoException, InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(limitSeconds);
        while (!condition.holds()) {
            if (!process.isAlive()) {
                throw new DemoException(name + " ended early, its last words: "
                        + new Command.Result(process.exitValue(), output()).reason());
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw new DemoException(name + " did not " + what + " within " + limitSeconds + " s");
            }
            Thread.sleep(20);
        }
    }

    /** Tells it that nothing more will come on its standard input, and waits for its end. */
    void finish(long limitSeconds) throws DemoException, InterruptedException {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended already: all the better.
        }
        if (!process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
            throw new DemoException(name + " did not end within " + limitSeconds + " s");
        }
    }

    boolean succeeded() {
        return !process.isAlive() && process.exitValue() == 0;
    }

    /** SIGTERM; SIGKILL if that is not enough. */
    @Override
    public void end() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }
}
