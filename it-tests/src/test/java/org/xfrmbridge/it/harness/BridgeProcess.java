package org.xfrmbridge.it.harness;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** {@code xfrm-bridge run} on one host, and commands under {@code xfrm-bridge exec} beside it. */
public final class BridgeProcess implements AutoCloseable {
    /** The device that takes the place of the one a bridge is put in front of. */
    public static final String HOST_DEVICE = "xfrm0";

    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    private final Namespace host;
    private final Path directory;
    private final Path log;
    private List<String> options = List.of();
    private Daemon daemon;
    private int starts;

    /** Starts a bridge in front of {@code device} of the host and waits until it is ready. */
    public static BridgeProcess start(Scene scene, Namespace host, String device) {
        return start(scene, host, device, List.of());
    }

    /** The same, with more options of {@code run}. */
    public static BridgeProcess start(Scene scene, Namespace host, String device, List<String> options) {
        BridgeProcess bridge =
                new BridgeProcess(host, scene.file(host.role()), scene.file(host.role() + "-bridge.log"));
        bridge.options = options;
        scene.own(bridge);
        bridge.start(device);
        return bridge;
    }

    private BridgeProcess(Namespace host, Path directory, Path log) {
        this.host = host;
        this.directory = directory;
        this.log = log;
    }

    /** The launcher under test, named by the system property {@code xfrm-bridge}. */
    public static Path program() {
        return Path.of(System.getProperty("xfrm-bridge", "../xfrm-bridge"))
                .toAbsolutePath()
                .normalize();
    }

    /** The preload library that the launcher takes. */
    public static Path library() {
        return program().resolveSibling("bridge-daemon/target/libxfrm-bridge.so");
    }

    /** Starts it again, with the same directory, after {@link #kill9} or {@link #stop}. */
    public void start(String device) {
        List<String> line = new ArrayList<>(
                List.of(program().toString(), "run", "--attach", device, "--dir", directory.toString()));
        line.addAll(options);
        daemon = host.start("bridge", log, host.command(line));
        starts++;
        Await.until("the bridge on " + host + " to be ready", START_LIMIT, () -> {
            if (!daemon.isAlive()) {
                throw new AssertionError("the bridge on " + host + " ended\n" + daemon.output());
            }
            return daemon.output().lines().filter("ready"::equals).count() == starts;
        });
    }

    public Path directory() {
        return directory;
    }

    public String log() {
        return daemon.output();
    }

    public long pid() {
        return daemon.pid();
    }

    public boolean isAlive() {
        return daemon.isAlive();
    }

    /** A command on this host with its XFRM sockets diverted to this bridge. */
    public Command command(String... arguments) {
        return exec(List.of(), arguments);
    }

    /** The same, for which the kernel is of that release. */
    public Command commandAt(String kernelLevel, String... arguments) {
        return exec(List.of("--kernel-level", kernelLevel), arguments);
    }

    private Command exec(List<String> options, String... arguments) {
        List<String> line = new ArrayList<>(List.of(program().toString(), "exec", "--dir", directory.toString()));
        line.addAll(options);
        line.add("--");
        line.addAll(List.of(arguments));
        return host.command(line);
    }

    /** Runs a command under {@code exec} and returns its output. */
    public String run(String... arguments) {
        return command(arguments).run();
    }

    /** The JSON of {@code xfrm-bridge stat --json}. */
    public String stat() {
        return host.run(program().toString(), "stat", "--dir", directory.toString(), "--json");
    }

    public int stop() {
        return daemon.terminate();
    }

    public void kill9() {
        daemon.kill9();
    }

    @Override
    public void close() {
        daemon.close();
    }
}
