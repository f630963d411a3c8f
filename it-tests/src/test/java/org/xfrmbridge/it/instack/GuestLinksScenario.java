package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;

/**
 * Why: hosts are connected by VLANs and bonds, and tunnels of the kernel are put on top of ESP; many kernels, and this
 * machine's may be one, have no modules for that. Topology: in a guest with Linux 6.12 a host with a bridge in its
 * stack, and a peer whose ESP is its kernel's; two wires, a sniffer on each. Steps: links.py: pings over a VLAN, with
 * and without a policy for its device, over GRE and L2TP, over bonds of both wires of which one loses its carrier.
 * flowtables.py: datagrams that a flowtable carries through the host, by routes and between bridges of Linux, when
 * policies come for them. Expected: pings are answered, ESP is on the wires that it has to be on, and nothing in the
 * clear.
 */
@Tag("alone")
@EnabledIfSystemProperty(named = "guest.links", matches = "true")
@Requires({Requirement.ROOT, Requirement.BRIDGE, Requirement.TCPDUMP, Requirement.DEBIAN_PYTHON, Requirement.QEMU_FILES
})
class GuestLinksScenario {
    private static final String LINKS = "links.py";
    private static final String FLOWTABLES = "flowtables.py";
    private static final List<String> MODULES = StackGuest.modules(
            "8021q",
            "bonding",
            "ip_gre",
            "nf_flow_table_inet",
            "nft_flow_offload",
            "nf_conntrack_netlink",
            "nft_masq",
            "l2tp_eth");

    private static final String EXPECTED = """
            vlan answered ESP by h0 clear 0
            vlan_by_device answered ESP by h0 clear 0
            gre answered ESP by h0 clear 0
            l2tp answered ESP by h0 clear 0
            active_backup answered ESP by h0 h1 clear 0
            balance_rr answered ESP by h0 h1 clear 0
            flowtable carried clear 0
            flowtable_of_bridges carried clear 0
            flowtable_and_masquerade carried clear 0
            flowtable_and_burst carried clear 0
            flowtable_under_all clear 0
            """;

    @Test
    void shouldProtectWhatLeavesByVlansAndBondsAndTunnelsOfTheKernel() {
        try (Scene scene = new Scene("guest-links")) {
            String script = StackGuest.run(LINKS, "wires")
                    + StackGuest.startBridge("host")
                    + StackGuest.onBridge(LINKS)
                    + StackGuest.onBridge(FLOWTABLES);
            assertEquals(EXPECTED.strip(), StackGuest.output(scene, MODULES, script, LINKS, FLOWTABLES));
        }
    }
}
