package org.xfrmbridge.it.javaclient;

import java.nio.file.Path;
import java.time.Duration;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;

/** An unmodified {@code ip xfrm monitor expire}, which can be stopped from reading. */
final class Monitor implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String LOST = "No buffer space available";

    private final Daemon program;

    Monitor(Path log, Command command) {
        program = Daemon.start("ip xfrm monitor", log, command);
    }

    long pid() {
        return program.pid();
    }

    void stop() {
        signal("-STOP");
    }

    void goOn() {
        signal("-CONT");
    }

    private void signal(String name) {
        Command.of("kill", name, Long.toString(pid())).run();
    }

    void awaitLoss() {
        program.awaitOutput(LOST, LIMIT);
    }

    void awaitEvents(long count) {
        Await.until("ip to print " + count + " events", LIMIT, () -> events() >= count);
    }

    long events() {
        return program.output()
                .lines()
                .filter(line -> line.startsWith("Expired"))
                .count();
    }

    long losses() {
        return program.output().lines().filter(line -> line.contains(LOST)).count();
    }

    @Override
    public void close() {
        // A stopped program would not notice that it is to end.
        goOn();
        program.close();
    }
}
