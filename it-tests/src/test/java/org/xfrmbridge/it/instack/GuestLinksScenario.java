package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.xfrmbridge.it.harness.QemuGuest;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;

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
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final List<String> MODULES = List.of(
            "tun",
            "veth",
            "bridge",
            "nft_fwd_netdev",
            "nft_dup_netdev",
            "nft_queue",
            "nfnetlink_queue",
            "nft_compat",
            "nft_ct",
            "nft_chain_nat",
            "nft_fib_inet",
            "xt_physdev",
            "xfrm_user",
            "esp4",
            "seqiv",
            "gcm",
            "ctr",
            "ghash-generic",
            "8021q",
            "bonding",
            "ip_gre",
            "nf_flow_table_inet",
            "nft_flow_offload",
            "nf_conntrack_netlink",
            "nft_masq",
            "l2tp_eth");
    private static final String SCRIPT = """
            set -e
            export XFRM_BRIDGE_JAVA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx96m'
            %1$s /run/guest-links.py wires
            mkdir /run/bridge
            ip netns exec host %2$s run --dir /run/bridge >/run/log 2>&1 &
            until grep -q '^ready' /run/log; do kill -0 $! || { cat /run/log; exit 1; }; sleep 1; done
            %1$s /run/guest-links.py %2$s exec --dir /run/bridge --
            %1$s /run/guest-flowtables.py %2$s exec --dir /run/bridge --
            """;

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
            TwoWires.program("links.py", scene.file("guest-links.py"));
            TwoWires.program("flowtables.py", scene.file("guest-flowtables.py"));
            String script = SCRIPT.formatted(Requirement.PYTHON, BridgeProcess.program());
            assertEquals(EXPECTED.strip(), QemuGuest.runOnHostFiles(scene, MODULES, script, LIMIT));
        }
    }
}
