package org.xfrmbridge.it.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    /** A Debian with strongSwan, made from packages: no registry is asked. */
    static final String IMAGE = "xfrm-bridge-scenario:bookworm";

    static final String WIRE = "docker0";

    private static final String PACKAGES =
            "iproute2,iputils-ping,strongswan-swanctl,charon-systemd,libstrongswan-standard-plugins";
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration IMAGE_LIMIT = Duration.ofMinutes(5);
    private static final List<String> WITHOUT_RULES =
            List.of("--iptables=false", "--ip6tables=false", "--ip-forward=false");
    /** For images of nothing but links. */
    private static final List<String> SMALL = List.of("--storage-driver=vfs");

    private final Namespace namespace;
    private final String address;
    private final Daemon daemon;

    /**
     * One whose bridge {@code docker0} is the wire between containers, with a namespace of its own. The failsafe
     * configuration tells Testcontainers where it listens. Images stay in the build directory for the next run.
     */
    static DockerEngine start(Scene scene) {
        Path socket = Path.of(System.getenv("DOCKER_HOST").replace("unix://", ""));
        Path data = socket.resolveSibling("data");
        DockerEngine engine =
                scene.own(new DockerEngine(scene, new Namespace(scene, "docker"), socket, data, WITHOUT_RULES));
        if (!engine.docker("image", "inspect", IMAGE).result().succeeded()) {
            engine.makeImage(scene.file("image.tar"));
        }
        return engine;
    }

    /** One that makes its rules on this host, and has no images yet. */
    public static DockerEngine startOn(Scene scene, Namespace host) {
        Path socket = scene.file("docker").resolve("docker.sock");
        return scene.own(new DockerEngine(scene, host, socket, socket.resolveSibling("data"), SMALL));
    }

    private DockerEngine(Scene scene, Namespace namespace, Path socket, Path data, List<String> options) {
        this.namespace = namespace;
        address = "unix://" + socket;
        try {
            Files.createDirectories(socket.getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // nsenter, not "ip netns exec": that would hide the control groups, which containers need
        List<String> line = new ArrayList<>(List.of(
                "nsenter",
                "--net=/run/netns/" + namespace.name(),
                "dockerd",
                "--host",
                address,
                "--data-root",
                data.toString(),
                "--exec-root",
                scene.file("docker-exec").toString(),
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

    private void makeImage(Path tar) {
        Command.of("mmdebstrap", "--quiet", "--variant=minbase", "--include=" + PACKAGES, "bookworm", tar.toString())
                .within(IMAGE_LIMIT)
                .run();
        docker("import", tar.toString(), IMAGE).within(IMAGE_LIMIT).run();
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
    }
}
