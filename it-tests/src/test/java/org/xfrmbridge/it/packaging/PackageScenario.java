package org.xfrmbridge.it.packaging;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.xfrmbridge.it.harness.Debian13;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;

/**
 * Why: users have neither this machine's Java nor its compiler, and what a package leaves is found by nobody here.
 * Topology: two hosts in a Debian 13 without Java; two with systemd and strongSwan. Steps: make the package of what is
 * built, and do what {@code packaging/try-install} and {@code packaging/try-service} say. Expected: tunnels, a removal
 * that is refused while the host is protected, and no file left.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.PACKAGING, Requirement.MMDEBSTRAP})
class PackageScenario {
    private static final Path HOME = BridgeProcess.program().getParent();
    private static final Duration LIMIT = Duration.ofMinutes(8);

    private static String deb;

    @BeforeAll
    static void make() {
        List<String> said = Command.of(HOME.resolve("package").toString(), "--no-build")
                .within(LIMIT)
                .run()
                .lines()
                .filter(line -> line.endsWith(".deb"))
                .toList();
        deb = HOME.resolve(said.getLast().replaceFirst(".* ", "")).toString();
    }

    @Test
    void shouldWorkWithoutJavaAndLeaveNothing() {
        try (Scene scene = new Scene("package")) {
            String output = attempt(scene, "try-install", "iproute2,iputils-ping");
            assertTrue(output.endsWith("removed and purged: nothing is left\n"), output);
        }
    }

    /** Two systems to boot: in nightly runs. */
    @Test
    @EnabledIfSystemProperty(named = "package.service", matches = "true")
    void shouldBeAServiceWhoseEndClosesTheHost() {
        try (Scene scene = new Scene("package-service")) {
            String output = attempt(
                    scene,
                    "try-service",
                    "systemd,systemd-sysv,dbus,iproute2,iputils-ping,charon-systemd,strongswan-swanctl");
            assertTrue(output.endsWith("removed and purged: nothing is left\n"), output);
        }
    }

    private static String attempt(Scene scene, String script, String packages) {
        Path root = scene.file("root.tar");
        Debian13.make(packages, root);
        return Command.of(HOME.resolve("packaging").resolve(script).toString(), deb, root.toString())
                .within(LIMIT)
                .run();
    }
}
