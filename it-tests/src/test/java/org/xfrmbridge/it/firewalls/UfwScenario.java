package org.xfrmbridge.it.firewalls;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Lab;

/**
 * Why: ufw is what Ubuntu's hosts have. Topology: FirewalledSite with ufw on the gateway, which refuses what comes in
 * and what is forwarded. Steps: the commands of docs/firewall.md, word by word; instead of the one for L2TP also the
 * rule for before.rules; reloads under traffic, while a stranger sends what only tunnels may bring. Expected: through
 * the tunnel what they allow answers, from elsewhere it does not; nothing of the far network is in the clear.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.UFW,
    Requirement.DEBIAN_PYTHON
})
class UfwScenario {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int L2TP = 1701;
    private static final int[] PORTS = {L2TP, 7001};
    private static final String MOUNTS = """
            set -e
            for directory in /etc/ufw /etc/default; do
                [ -e '%1$s'$directory ] || { mkdir -p '%1$s'/etc; cp -a $directory '%1$s'/etc; }
                mount --bind '%1$s'$directory $directory
            done
            mount -t tmpfs run /run
            exec sh -ec "$1"
            """;
    private static final String IN_FILE = "sed -i '/^COMMIT/i %s' /etc/ufw/before.rules";

    @Test
    void shouldLetPassWhatUsersAllow() {
        try (FirewalledSite site = FirewalledSite.start("ufw")) {
            run(site, "ufw default deny incoming; ufw default deny routed; ufw default allow outgoing");
            run(site, "ufw allow 7009/udp; ufw route allow in on xfrm0 to any port 7009 proto udp");
            List<String> documented = Documentation.commands("ufw", "ufw ");
            documented.forEach(command -> run(site, command));
            run(site, "ufw route allow in on xfrm0 out on lan from fd02::/64");
            run(site, "ufw route allow in on lan out on xfrm0 to fd02::/64");
            run(site, "ufw --force enable");
            for (Family family : Family.values()) {
                assertAllowed(site, family);
            }
            run(site, "ufw delete allow in on xfrm0 to any port 1701 proto udp");
            site.assertAnswer(Place.FAR, Place.GATEWAY, Family.IPV4, PORTS);
            List<String> lines = Documentation.commands("ufw", "-A ufw-before-input");
            lines.forEach(line -> run(site, IN_FILE.formatted(line)));
            reloadUnderTraffic(site);
            assertAllowed(site, Family.IPV4);
            site.assertNothingClear();
        }
    }

    private static void run(FirewalledSite site, String command) {
        Path directory = site.scene().file("ufw");
        Path mounts = Lab.write(directory.resolve("mounts"), MOUNTS.formatted(directory));
        site.host()
                .command("unshare", "--mount", "sh", mounts.toString(), command)
                .within(LIMIT)
                .run();
    }

    private static void reloadUnderTraffic(FirewalledSite site) {
        List<Daemon> strays = site.startStrays();
        List<Daemon> streams = site.startStreams();
        run(site, "ufw reload; ufw reload");
        // Its reload closes everything for a moment.
        streams.forEach(Daemon::close);
        strays.forEach(Daemon::close);
    }

    private static void assertAllowed(FirewalledSite site, Family family) {
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, L2TP);
        site.assertAnswer(Place.FAR, Place.CLIENT, family, PORTS, PORTS);
        site.assertAnswer(Place.CLIENT, Place.FAR, family, PORTS, PORTS);
        site.assertAnswer(Place.GATEWAY, Place.FAR, family, PORTS, PORTS);
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, PORTS);
    }
}
