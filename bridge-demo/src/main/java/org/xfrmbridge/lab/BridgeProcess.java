package org.xfrmbridge.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** {@code xfrm-bridge run} on one host, and commands under {@code xfrm-bridge exec} beside it. */
public final class BridgeProcess implements AutoCloseable {
    /** The device that stands in for the one a bridge is put in front of. */
    public static final String HOST_DEVICE = "xfrm0";

    /** Instead of a device: the bridge stands in the host's stack. */
    public static final String IN_STACK = "";

    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    private final Namespace host;
    private final Path directory;
    private final Path log;
    private List<String> options = List.of();
    private Daemon daemon;
    private int starts;

    /** Starts a bridge in front of {@code device} of the host, which the lab ends, and waits until it is ready. */
    public static BridgeProcess start(Lab lab, Namespace host, String device) {
        return start(lab, host, device, List.of());
    }

    /** The same, with more options of {@code run}. */
    public static BridgeProcess start(Lab lab, Namespace host, String device, List<String> options) {
        BridgeProcess bridge = launch(lab, host, device, options);
        bridge.awaitReady();
        return bridge;
    }

    /** The same, without waiting. */
    public static BridgeProcess launch(Lab lab, Namespace host, String device, List<String> options) {
        BridgeProcess bridge = new BridgeProcess(host, lab.file(host.role()), lab.file(host.role() + "-bridge.log"));
        bridge.options = options;
        lab.own(bridge);
        bridge.launch(device);
        return bridge;
    }

    private BridgeProcess(Namespace host, Path directory, Path log) {
        this.host = host;
        this.directory = directory;
        this.log = log;
    }

    /** The launcher, named by the system property {@code xfrm-bridge.launcher}. */
    public static Path program() {
        return Path.of(System.getProperty("xfrm-bridge.launcher", "../xfrm-bridge"))
                .toAbsolutePath()
                .normalize();
    }

    /** The preload library that the launcher takes. */
    public static Path library() {
        return program().resolveSibling("bridge-daemon/target/libxfrm-bridge.so");
    }

    /** Starts it again, with the same directory, after {@link #kill9} or {@link #stop}. */
    public void start(String device) {
        launch(device);
        awaitReady();
    }

    private void launch(String device) {
        List<String> line = new ArrayList<>(List.of(program().toString(), "run", "--dir", directory.toString()));
        if (!device.equals(IN_STACK)) {
            line.addAll(List.of("--attach", device));
        }
        line.addAll(options);
        daemon = host.start("the bridge", log, host.command(line));
        starts++;
    }

    public void awaitReady() {
        daemon.await(
                "be ready",
                START_LIMIT,
                () -> daemon.output().lines().filter("ready"::equals).count() == starts);
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
        if (daemon != null) {
            daemon.close();
        }
    }
}
