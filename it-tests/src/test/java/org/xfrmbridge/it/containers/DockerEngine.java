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
 * A Docker engine of our own, in a network namespace of its own: its bridge {@code docker0} is the wire between
 * containers and is not seen outside. The machine's engine, if there is one, is left alone. Images stay in the build
 * directory for the next run.
 */
final class DockerEngine implements AutoCloseable {
    /** A Debian with strongSwan, made from packages: no registry is asked. */
    static final String IMAGE = "xfrm-bridge-scenario:bookworm";

    static final String WIRE = "docker0";

    private static final String PACKAGES =
            "iproute2,iputils-ping,strongswan-swanctl,charon-systemd,libstrongswan-standard-plugins";
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration IMAGE_LIMIT = Duration.ofMinutes(5);

    private final Namespace namespace;
    private final String address;
    private final Daemon daemon;

    /** Where the engine listens: the failsafe configuration tells Testcontainers the same. */
    private static Path socket() {
        return Path.of(System.getenv("DOCKER_HOST").replace("unix://", ""));
    }

    static DockerEngine start(Scene scene) {
        Namespace namespace = new Namespace(scene, "docker");
        return scene.own(new DockerEngine(scene, namespace));
    }

    private DockerEngine(Scene scene, Namespace namespace) {
        this.namespace = namespace;
        Path socket = socket();
        Path directory = socket.getParent();
        address = "unix://" + socket;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // nsenter, not "ip netns exec": that would hide the control groups, which containers need
        daemon = Daemon.start(
                "dockerd",
                scene.file("dockerd.log"),
                Command.of(
                        "nsenter",
                        "--net=/run/netns/" + namespace.name(),
                        "dockerd",
                        "--host",
                        address,
                        "--data-root",
                        directory.resolve("data").toString(),
                        "--exec-root",
                        scene.file("docker-exec").toString(),
                        "--pidfile",
                        scene.file("dockerd.pid").toString(),
                        "--iptables=false",
                        "--ip6tables=false",
                        "--ip-forward=false",
                        "--userland-proxy=false"));
        Await.until("dockerd to answer", START_LIMIT, () -> {
            if (!daemon.isAlive()) {
                throw new AssertionError("dockerd ended\n" + daemon.output());
            }
            return docker("version").result().exitCode() == 0;
        });
        if (docker("image", "inspect", IMAGE).result().exitCode() != 0) {
            makeImage(scene.file("image.tar"));
        }
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

    private Command docker(String... arguments) {
        List<String> line = new ArrayList<>(List.of("docker", "--host", address));
        line.addAll(List.of(arguments));
        return new Command(line);
    }

    @Override
    public void close() {
        daemon.terminate();
    }
}
