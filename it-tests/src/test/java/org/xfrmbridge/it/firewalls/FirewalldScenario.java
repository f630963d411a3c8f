package org.xfrmbridge.it.firewalls;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway.Family;

/**
 * Why: firewalld goes by zones of interfaces, and opened packets come by another one than on a kernel. Topology:
 * FirewalledSite with firewalld on the gateway, eth0 in zone external, lan in internal. Steps: the commands of
 * docs/firewall.md, word by word, and the other policy that they speak of; reloads under traffic, while a stranger
 * sends what only tunnels may bring. Expected: through the tunnel the zone's ports and all of the two networks answer,
 * from elsewhere neither; what leaves unprotected is masqueraded; nothing of the far network is in the clear.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.FIREWALLD,
    Requirement.DEBIAN_PYTHON
})
class FirewalldScenario {
    private static final int L2TP = 1701;
    private static final int[] PORTS = {L2TP, 7001};
    private static final String ZONES = """
            firewall-cmd --permanent --zone=external --add-interface=eth0
            firewall-cmd --permanent --zone=internal --add-interface=lan
            firewall-cmd --permanent --zone=external --add-port=7009/udp
            firewall-cmd --permanent --new-policy=lan-world
            firewall-cmd --permanent --policy=lan-world --add-ingress-zone=internal
            firewall-cmd --permanent --policy=lan-world --add-egress-zone=external
            firewall-cmd --permanent --policy=lan-world --set-target=ACCEPT
            """;
    private static final String OTHER_WAY = """
            firewall-cmd --permanent --new-policy=lan-vpn
            firewall-cmd --permanent --policy=lan-vpn --add-ingress-zone=internal
            firewall-cmd --permanent --policy=lan-vpn --add-egress-zone=vpn
            firewall-cmd --permanent --policy=lan-vpn --set-target=ACCEPT
            firewall-cmd --permanent --zone=vpn --add-port=7009/udp
            """;

    @Test
    void shouldLetPassWhatTheZonesSay() {
        try (FirewalledSite site = FirewalledSite.start("firewalld")) {
            Firewalld firewalld = Firewalld.start(site.scene(), site.host());
            firewalld.run(ZONES);
            List<String> documented = Documentation.commands("firewalld", "firewall-cmd");
            documented.stream()
                    .filter(command -> !command.contains("--direct"))
                    .filter(command -> !command.contains("--reload"))
                    .forEach(firewalld::run);
            firewalld.run(OTHER_WAY);
            firewalld.run("firewall-cmd --reload");
            site.assertWarned(false);
            assertZones(site);
            List<Daemon> strays = site.startStrays();
            List<Daemon> streams = site.startStreams();
            firewalld.run("firewall-cmd --reload; firewall-cmd --complete-reload");
            // Its reload closes everything for a moment.
            streams.forEach(Daemon::close);
            assertZones(site);
            strays.forEach(Daemon::close);
            site.assertNothingClear();
        }
    }

    private static void assertZones(FirewalledSite site) {
        for (Family family : Family.values()) {
            site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, L2TP);
            site.assertAnswer(Place.FAR, Place.CLIENT, family, PORTS, PORTS);
            site.assertAnswer(Place.CLIENT, Place.FAR, family, PORTS, PORTS);
            site.assertAnswer(Place.GATEWAY, Place.FAR, family, PORTS, PORTS);
            site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, PORTS);
        }
        String outside = Place.OUTSIDE.address(Family.IPV4);
        site.assertAnswerTo(outside, Place.CLIENT, Place.WORLD, Family.IPV4, PORTS, PORTS);
    }
}
