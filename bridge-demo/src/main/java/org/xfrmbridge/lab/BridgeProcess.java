package org.xfrmbridge.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** {@code xfrm-bridge run} on one host, and commands under {@code xfrm-bridge exec} beside it. */
public final class BridgeProcess implements AutoCloseable {
    private static final String NO_OFFLOAD = "--no-offload";
    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    private final Namespace host;
    private final Path directory;
    private final Path log;
    private final Attachment attachment;
    private List<String> options;
    private Daemon daemon;
    private int starts;

    /** Starts a bridge in the host's stack, which the lab ends, and waits until it is ready. */
    public static BridgeProcess start(Lab lab, Namespace host) {
        return start(lab, host, Attachment.STACK);
    }

    /** The same, where {@code attachment} says. */
    public static BridgeProcess start(Lab lab, Namespace host, Attachment attachment) {
        BridgeProcess bridge = launch(lab, host, attachment, List.of());
        bridge.awaitReady();
        return bridge;
    }

    /**
     * The same, with more options of {@code run}, and without waiting. The system property
     * {@code xfrm-bridge.no-offload} adds that one.
     */
    public static BridgeProcess launch(Lab lab, Namespace host, Attachment attachment, List<String> options) {
        BridgeProcess bridge = lab.own(new BridgeProcess(lab, host, attachment, options));
        bridge.launch();
        return bridge;
    }

    private BridgeProcess(Lab lab, Namespace host, Attachment attachment, List<String> options) {
        this.host = host;
        this.directory = lab.file(host.role());
        this.log = lab.file(host.role() + "-bridge.log");
        this.attachment = attachment;
        this.options = options;
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
    public void start() {
        launch();
        awaitReady();
    }

    /** The same with other options of {@code run}. */
    public void start(List<String> otherOptions) {
        options = otherOptions;
        start();
    }

    private void launch() {
        List<String> line = new ArrayList<>(List.of(program().toString(), "run", "--dir", directory.toString()));
        line.addAll(attachment.options());
        line.addAll(options);
        if (Boolean.getBoolean("xfrm-bridge.no-offload") && !options.contains(NO_OFFLOAD)) {
            line.add(NO_OFFLOAD);
        }
        daemon = host.start("the bridge", log, host.command(line));
        starts++;
    }

    public void awaitReady() {
        daemon.await(
                "be ready",
                START_LIMIT,
                () -> daemon.output().lines().filter("ready"::equals).count() == starts);
    }

    /** The device of the host that has its addresses. */
    public String device() {
        return attachment.device();
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
        line.addAll(Userland.seenBy(arguments));
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

    /** The text of {@code xfrm-bridge status}, which succeeds if the bridge runs and is whole. */
    public String status() {
        return status(0);
    }

    /** The same of a bridge that has ended. */
    public String statusOfEnded() {
        return status(3);
    }

    private String status(int exitCode) {
        Command.Result result = host.command(program().toString(), "status", "--dir", directory.toString())
                .result();
        if (result.exitCode() != exitCode) {
            throw new IllegalStateException("exit code " + result.exitCode() + " of status: " + result.output());
        }
        return result.output();
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
