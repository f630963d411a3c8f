package org.xfrmbridge.it.libreswan;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.strongswan.Connection;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;

/**
 * libreswan on one host under {@code xfrm-bridge exec}, started by the commands of its systemd unit. Every command sees
 * the unpacked package laid over this machine's {@code /usr} and {@code /etc}, and a {@code /run} and key database of
 * its own.
 */
public final class Pluto implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    /** Modules are this machine's business: nothing may load one for a test. */
    private static final String NO_MODPROBE = "#!/bin/sh\nexit 0\n";

    private static final String MOUNTS = """
            set -e
            mount -t overlay overlay -o lowerdir='%1$s/usr:%2$s/usr:/usr' /usr
            mount -t overlay overlay -o lowerdir='%1$s/etc:%2$s/etc:/etc' /etc
            mount -t tmpfs lib /var/lib
            mkdir -p /var/lib/ipsec
            ln -s '%1$s/nss' /var/lib/ipsec/nss
            mount --bind '%1$s/run' /run
            exec "$@"
            """;

    private final BridgeProcess bridge;
    private final Path directory;
    private final Namespace host;
    private final Path log;
    private Daemon daemon;

    /** Starts one with the connections of this text, which follow {@code config setup} in ipsec.conf. */
    public static Pluto start(BridgedPair hosts, Side side, String connections) {
        Namespace host = hosts.topology().site(side).host();
        Pluto pluto = new Pluto(
                hosts.bridge(side),
                hosts.scene().file(host.role() + "-libreswan"),
                connections,
                host,
                hosts.scene().file(host.role() + "-pluto.log"));
        hosts.scene().own(pluto);
        pluto.ipsec("initnss").run();
        pluto.start();
        return pluto;
    }

    private Pluto(BridgeProcess bridge, Path directory, String connections, Namespace host, Path log) {
        this.bridge = bridge;
        this.directory = directory;
        this.host = host;
        this.log = log;
        configure(connections);
    }

    /** Starts it (again) and waits until it takes commands. */
    void start() {
        inside("/usr/libexec/ipsec/addconn", "--config", "/etc/ipsec.conf", "--checkconfig")
                .run();
        inside("/usr/libexec/ipsec/_stackmanager", "start").run();
        ipsec("--checknss").run();
        daemon = host.start(
                "pluto",
                log,
                inside(
                        "/usr/libexec/ipsec/pluto",
                        "--leak-detective",
                        "--config",
                        "/etc/ipsec.conf",
                        "--nofork",
                        "--stderrlog"));
        Await.until("pluto on " + host + " to answer", START_LIMIT, () -> {
            if (!daemon.isAlive()) {
                throw new AssertionError("pluto on " + host + " ended\n" + daemon.output());
            }
            return ipsec("auto", "--ready").result().exitCode() == 0;
        });
    }

    private void configure(String connections) {
        try {
            for (String part : List.of("usr/sbin", "etc", "nss", "run/pluto")) {
                Files.createDirectories(directory.resolve(part));
            }
            Files.writeString(directory.resolve("etc/ipsec.conf"), "config setup\n    uniqueids=no\n" + connections);
            Files.writeString(directory.resolve("etc/ipsec.secrets"), ": PSK \"" + Connection.SHARED_KEY + "\"\n");
            Path modprobe = directory.resolve("usr/sbin/modprobe");
            Files.writeString(modprobe, NO_MODPROBE);
            Files.setPosixFilePermissions(modprobe, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path unpacked =
                    Path.of(System.getProperty("libreswan", "target/libreswan")).toAbsolutePath();
            Files.writeString(directory.resolve("inside"), MOUNTS.formatted(directory, unpacked));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A command that sees libreswan installed, and this bridge. */
    private Command inside(String... arguments) {
        List<String> line = new ArrayList<>(
                List.of("unshare", "--mount", "sh", directory.resolve("inside").toString()));
        line.addAll(List.of(arguments));
        return bridge.command(line.toArray(String[]::new));
    }

    /** {@code ipsec ...}, as an administrator types it. */
    public Command ipsec(String... arguments) {
        List<String> line = new ArrayList<>(List.of("/usr/sbin/ipsec"));
        line.addAll(List.of(arguments));
        return inside(line.toArray(String[]::new));
    }

    /** Replaces the CHILD_SA of a connection; the option has another name from libreswan 5 on. */
    void rekeyChild(String connection) {
        boolean former = ipsec("whack", "--help").result().output().contains("--rekey-ipsec");
        ipsec("whack", former ? "--rekey-ipsec" : "--rekey-child", "--name", connection)
                .run();
    }

    /** Ends it as its systemd unit does. */
    void stop() {
        ipsec("whack", "--shutdown").run();
        daemon.finish(START_LIMIT);
    }

    boolean isAlive() {
        return daemon.isAlive();
    }

    /** Ends it if it runs, and starts it anew. */
    void restart() {
        daemon.close();
        try {
            // What one leaves that died.
            Files.deleteIfExists(directory.resolve("run/pluto/pluto.pid"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start();
    }

    @Override
    public void close() {
        daemon.close();
    }
}
