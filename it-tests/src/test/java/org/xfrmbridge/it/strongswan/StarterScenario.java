package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: many machines still run strongSwan by {@code ipsec.conf}; the starter forks charon, which must stay diverted.
 * Topology: two hosts. Steps: {@code ipsec start} under {@code exec} with files of our own in place of /etc's,
 * {@code ipsec up}, pings, {@code ipsec stop}. Expected: no ping is lost, only ESP is on the wire, nothing is left.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.CHARON,
    Requirement.STARTER,
    Requirement.BRIDGE
})
class StarterScenario {
    /** A private /run, and private files in the places where the starter and charon look. */
    private static final String ENTER = """
            mount -t tmpfs run /run
            mount --bind "$1/ipsec.conf" /etc/ipsec.conf
            mount --bind "$1/ipsec.secrets" /etc/ipsec.secrets
            exec ipsec start --nofork
            """;

    @Test
    void shouldProtectTrafficWhenStartedByIpsec() {
        try (Scene scene = new Scene("starter")) {
            Topology topology = Topology.direct(scene);
            Sniffer sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
            Starter left = new Starter(scene, topology, Side.LEFT);
            Starter right = new Starter(scene, topology, Side.RIGHT);
            left.awaitReady();
            right.awaitReady();
            left.ipsec("up", "net").run();
            Ping.inner(topology, Side.LEFT, Family.IPV4).send().assertComplete();
            assertTrue(sniffer.espFrames() >= 10);
            left.stop();
            right.stop();
        }
    }

    /** {@code ipsec start} on one side. */
    private static final class Starter {
        private final Namespace host;
        private final BridgeProcess bridge;
        private final Daemon starter;

        Starter(Scene scene, Topology topology, Side side) {
            Gateway site = topology.site(side);
            host = site.host();
            bridge = BridgeProcess.start(scene, host);
            Path directory = scene.file("ipsec-" + host.role());
            write(directory.resolve("ipsec.conf"), configuration(site, topology.site(side.other())));
            write(directory.resolve("ipsec.secrets"), ": PSK \"a key for scenarios\"\n");
            Command command = bridge.command("unshare", "--mount", "sh", "-ec", ENTER, "sh", directory.toString());
            starter = scene.own(host.start("ipsec", scene.file(host.role() + "-ipsec.log"), command));
        }

        private static String configuration(Gateway local, Gateway remote) {
            return """
                    config setup
                    conn net
                        keyexchange=ikev2
                        authby=secret
                        left=%s
                        leftsubnet=%s/32
                        right=%s
                        rightsubnet=%s/32
                        esp=aes128gcm16!
                        auto=add
                    """.formatted(
                            local.outer().v4(),
                            local.inner().v4(),
                            remote.outer().v4(),
                            remote.inner().v4());
        }

        private static void write(Path file, String text) {
            try {
                Files.createDirectories(file.getParent());
                Files.writeString(file, text);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** An {@code ipsec} command in the mount namespace of the starter, where its control socket is. */
        Command ipsec(String... arguments) {
            List<String> line =
                    new ArrayList<>(List.of("nsenter", "--mount", "--target", Long.toString(starter.pid()), "ipsec"));
            line.addAll(List.of(arguments));
            return host.command(line);
        }

        void awaitReady() {
            Await.until(
                    "charon on " + host + " to load its connection",
                    Duration.ofSeconds(30),
                    () -> ipsec("statusall").result().output().contains("net:"));
        }

        void stop() {
            ipsec("stop").result();
            Await.until(
                    "empty databases on " + host,
                    Duration.ofSeconds(30),
                    () -> (bridge.run("ip", "xfrm", "state") + bridge.run("ip", "xfrm", "policy", "list", "nosock"))
                            .isBlank());
        }
    }
}
