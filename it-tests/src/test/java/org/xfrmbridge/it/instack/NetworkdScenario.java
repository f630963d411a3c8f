package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.xfrmbridge.it.harness.QemuGuest;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;

/**
 * Why: systemd-networkd takes away rules and routes that are not its own, as a service of a host that systemd has
 * booted, with udev and a kernel of its own. Topology: a guest with Linux 6.12 and this machine's systemd; its eth0 has
 * an address from a DHCP server at a peer whose ESP is its kernel's; a bridge, a policy for pings; a sniffer at the
 * peer. Steps: networkd.sh: under pings renewals, reload, reconfigure, restarts of networkd, with
 * ManageForeignRoutingPolicyRules and without, and of udev. Expected: after each the bridge's rules and routes are as
 * before, they had to be put back, and pings are answered, none in the clear.
 */
@Tag("alone")
@EnabledIfSystemProperty(named = "guest.links", matches = "true")
@Requires({
    Requirement.ROOT,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.DHCP,
    Requirement.NETWORK_PROGRAMS,
    Requirement.QEMU_FILES
})
class NetworkdScenario {
    private static final String EXPECTED = """
            renewals kept
            reload kept
            reconfigure kept
            restart kept
            foreign kept
            udev kept
            rules were taken away and put back
            clear 0
            """;

    @Test
    void shouldKeepRulesAndRoutesWhateverNetworkdIsTold() {
        try (Scene scene = new Scene("guest-networkd")) {
            TwoWires.program("networkd.sh", scene.file("guest-networkd.sh"));
            String script = StackGuest.begin() + "sh /run/guest-networkd.sh " + BridgeProcess.program() + "\n";
            assertEquals(
                    EXPECTED.strip(),
                    QemuGuest.boot(scene, StackGuest.modules("overlay", "af_packet"), script, StackGuest.LIMIT));
        }
    }
}
