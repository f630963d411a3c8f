package org.xfrmbridge.it.openiked;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;

/** iked on one host under {@code xfrm-bridge exec}, with a configuration and a control socket of its own. */
final class Iked implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);

    /**
     * Its process for PF_KEY confines itself to the home of _iked: to find a bridge again that was away, it needs the
     * bridge's directory there.
     */
    private static final String WITH_BRIDGE_IN_CHROOT = """
            home=$(getent passwd _iked | cut -d: -f6) && mount -t tmpfs home "$home" && mkdir -p "$home$0" \
            && mount --bind "$0" "$home$0" && exec "$@"
            """;

    private final Namespace host;
    private final Path socket;
    private final Daemon daemon;

    /** Starts one. @param options of its command line */
    static Iked start(BridgedPair hosts, Side side, String configuration, String... options) {
        Namespace host = hosts.topology().site(side).host();
        return hosts.scene().own(new Iked(hosts.scene(), host, hosts.bridge(side), configuration, options));
    }

    private Iked(Scene scene, Namespace host, BridgeProcess bridge, String configuration, String... options) {
        this.host = host;
        socket = scene.file(host.role() + "-iked.sock");
        Path file = scene.file(host.role() + "-iked.conf");
        try {
            // iked refuses a file that others may read.
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, configuration);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> line = new ArrayList<>(List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                WITH_BRIDGE_IN_CHROOT,
                bridge.directory().toString(),
                "iked",
                "-d",
                "-v",
                "-v",
                "-f",
                file.toString(),
                "-s",
                socket.toString()));
        line.addAll(List.of(options));
        daemon = host.start("iked", scene.file(host.role() + "-iked.log"), bridge.command(line.toArray(String[]::new)));
        daemon.awaitOutput("config_getstatic: nattport", START_LIMIT);
    }

    void awaitEstablished() {
        daemon.awaitOutput("ESTABLISHED from", START_LIMIT);
    }

    /** Ends the IKE_SAs with the other side, which is told. */
    void reset(Side other) {
        host.command("ikectl", "-s", socket.toString(), "reset", "id", "FQDN/" + other.identity())
                .run();
    }

    /** Ends it as an administrator does. */
    void stop() {
        daemon.terminate();
    }

    @Override
    public void close() {
        daemon.close();
    }
}
