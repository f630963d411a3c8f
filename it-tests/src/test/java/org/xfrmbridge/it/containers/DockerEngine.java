package org.xfrmbridge.it.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.it.harness.Debian13;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;

/**
 * A Docker engine of our own in a network namespace: its bridges are not seen outside. The machine's engine, if there
 * is one, is left alone.
 */
public final class DockerEngine implements AutoCloseable {
    /** A Debian with strongSwan, made from packages: no registry is asked. It runs what is built on an older system. */
    static final String IMAGE = "xfrm-bridge-scenario:trixie";

    static final String WIRE = "docker0";

    private static final String PACKAGES =
            "iproute2,iputils-ping,strongswan-swanctl,charon-systemd,libstrongswan-standard-plugins";
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration IMAGE_LIMIT = Duration.ofMinutes(5);
    /** In a namespace. */
    private static final List<String> WITH_RULES = List.of("--ip6tables=false");
    /** In the machine's own network. */
    private static final List<String> WITHOUT_NETWORK =
            List.of("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none");
    /** For images of nothing but links. */
    private static final List<String> SMALL = List.of("--storage-driver=vfs");

    /** What Dockerfiles begin with; here it is made from packages, too. */
    private static final String BASE = "debian:trixie-slim";

    private final Namespace namespace;
    private final String address;
    private final Path state;
    private final Daemon daemon;

    /**
     * One whose bridge {@code docker0} is the wire between containers, with a namespace of its own. The failsafe
     * configuration tells Testcontainers where it listens. Images stay in the build directory for the next run.
     */
    static DockerEngine start(Scene scene) {
        Path socket = socket();
        DockerEngine engine = scene.own(new DockerEngine(
                scene, new Namespace(scene, "docker"), socket, socket.resolveSibling("data"), WITH_RULES));
        engine.makeImage(scene, IMAGE, PACKAGES);
        return engine;
    }

    /**
     * {@code docker build} of directories, each with the name of its image, for engines that {@link #start} starts
     * afterwards. A build fetches packages, so its engine is in the machine's own network. It changes nothing there.
     */
    static void build(Scene scene, Map<String, Path> images) {
        Path socket = socket();
        try (DockerEngine engine =
                new DockerEngine(scene, null, socket, socket.resolveSibling("data"), WITHOUT_NETWORK)) {
            engine.makeImage(scene, BASE, "");
            images.forEach(
                    (image, context) -> engine.docker("build", "--network", "host", "--tag", image, context.toString())
                            .within(IMAGE_LIMIT)
                            .run());
        }
    }

    private static Path socket() {
        return Path.of(System.getenv("DOCKER_HOST").replace("unix://", ""));
    }

    /** One that makes its rules on this host, and has no images yet. */
    public static DockerEngine startOn(Scene scene, Namespace host) {
        Path socket = scene.file("docker").resolve("docker.sock");
        return scene.own(new DockerEngine(scene, host, socket, socket.resolveSibling("data"), SMALL));
    }

    /** @param namespace where it runs, null for the machine's own network */
    private DockerEngine(Scene scene, Namespace namespace, Path socket, Path data, List<String> options) {
        this.namespace = namespace;
        address = "unix://" + socket;
        state = scene.file("docker-exec");
        try {
            Files.createDirectories(socket.getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // nsenter, not "ip netns exec": that would hide the control groups, which containers need
        List<String> line = new ArrayList<>(List.of(
                "nsenter",
                "--net=" + (namespace == null ? "/proc/self/ns/net" : "/run/netns/" + namespace.name()),
                "dockerd",
                "--host",
                address,
                "--data-root",
                data.toString(),
                "--exec-root",
                state.toString(),
                "--pidfile",
                scene.file("dockerd.pid").toString(),
                "--userland-proxy=false"));
        line.addAll(options);
        daemon = Daemon.start("dockerd", scene.file("dockerd.log"), new Command(line));
        Await.until("dockerd to answer", START_LIMIT, () -> {
            if (!daemon.isAlive()) {
                throw new AssertionError("dockerd ended\n" + daemon.output());
            }
            return docker("version").result().succeeded();
        });
    }

    private void makeImage(Scene scene, String image, String packages) {
        if (!docker("image", "inspect", image).result().succeeded()) {
            Path tar = scene.file("debian-13.tar");
            Debian13.make(packages, tar);
            docker("import", tar.toString(), image).within(IMAGE_LIMIT).run();
        }
    }

    Namespace namespace() {
        return namespace;
    }

    /** {@code docker ...} of this engine. */
    public Command docker(String... arguments) {
        List<String> line = new ArrayList<>(List.of("docker", "--host", address));
        line.addAll(List.of(arguments));
        return new Command(line);
    }

    @Override
    public void close() {
        daemon.terminate();
        // What containers in the engine's own network leave.
        Path network = state.resolve("netns/default");
        if (Files.exists(network)) {
            Command.of("umount", network.toString()).result();
        }
    }
}
