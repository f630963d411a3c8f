package org.xfrmbridge.it.firewalls;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;

/** firewalld on one host, with a message bus, {@code /run}, {@code /var/log} and {@code /etc/firewalld} of its own. */
final class Firewalld {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String BUS = """
            <busconfig>
              <type>system</type>
              <listen>unix:path=/run/dbus/system_bus_socket</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow own="*"/>
                <allow user="*"/>
                <allow send_destination="*"/>
                <allow receive_sender="*"/>
              </policy>
            </busconfig>
            """;
    private static final String MOUNTS = """
            set -e
            mount --bind '%1$s/run' /run
            mount --bind '%1$s/firewalld' /etc/firewalld
            mount --bind '%1$s/log' /var/log
            exec "$@"
            """;

    private final Namespace host;
    private final Path inside;

    static Firewalld start(Scene scene, Namespace host) {
        return new Firewalld(scene, host);
    }

    private Firewalld(Scene scene, Namespace host) {
        this.host = host;
        Path directory = scene.file("firewalld");
        inside = Lab.write(directory.resolve("inside"), MOUNTS.formatted(directory));
        Path bus = Lab.write(directory.resolve("run/bus.conf"), BUS);
        host.run(
                "sh",
                "-ec",
                "mkdir -p " + directory + "/run/dbus " + directory + "/log; cp -a /etc/firewalld " + directory
                        + "/firewalld");
        run(scene, "dbus-daemon", "--nofork", "--nopidfile", "--config-file=/run/" + bus.getFileName());
        Await.until(
                "the bus",
                PATIENCE,
                () -> host.command("test", "-S", directory + "/run/dbus/system_bus_socket")
                        .result()
                        .succeeded());
        run(scene, "firewalld", "--nofork", "--nopid");
        Await.until(
                "firewalld to run",
                PATIENCE,
                () -> inside("firewall-cmd", "--state").result().succeeded());
    }

    private void run(Scene scene, String... command) {
        Daemon daemon = host.start(command[0], scene.file(command[0] + ".log"), inside(command));
        scene.own(daemon);
    }

    private Command inside(String... arguments) {
        List<String> line = new ArrayList<>(List.of("unshare", "--mount", "sh", inside.toString()));
        line.addAll(List.of(arguments));
        return host.command(line).within(PATIENCE);
    }

    /** Commands of a shell that sees this daemon and its files. */
    void run(String commands) {
        inside("sh", "-ec", commands).run();
    }
}
