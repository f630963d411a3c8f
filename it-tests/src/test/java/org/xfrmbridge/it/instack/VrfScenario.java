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
 * Why: a VRF has routes and addresses of its own, which neither a lookup in the main table knows nor a packet that
 * comes in by a device outside of it; this machine's kernel may have none. Topology: in a guest with Linux 6.12 a host
 * whose interface is in a VRF, a peer whose ESP is its kernel's, a stranger; a sniffer on the host's wire. Steps:
 * vrf.py twice, with the host's own kernel and with a bridge: pings both ways and TCP, unprotected, in transport and
 * tunnel mode, both families; clear packets of what is to be protected. Expected: with the bridge the same as with the
 * kernel, and nothing in the clear.
 */
@Tag("alone")
@EnabledIfSystemProperty(named = "guest.links", matches = "true")
@Requires({Requirement.ROOT, Requirement.BRIDGE, Requirement.TCPDUMP, Requirement.DEBIAN_PYTHON, Requirement.QEMU_FILES
})
class VrfScenario {
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final List<String> MODULES = List.of(
            "tun",
            "veth",
            "bridge",
            "vrf",
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
            "esp6",
            "seqiv",
            "gcm",
            "ctr",
            "ghash-generic");
    private static final String SCRIPT = """
            set -e
            export XFRM_BRIDGE_JAVA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx96m'
            %1$s /run/guest-vrf.py wires
            echo kernel
            %1$s /run/guest-vrf.py
            mkdir /run/bridge
            ip netns exec host %2$s run --dir /run/bridge >/run/log 2>&1 &
            until grep -q '^ready' /run/log; do kill -0 $! || { cat /run/log; exit 1; }; sleep 1; done
            echo bridge
            %1$s /run/guest-vrf.py %2$s exec --dir /run/bridge --
            """;

    private static final String EXPECTED = """
            unprotected sent 10 received 10 no ESP clear 40
            transport sent 10 received 10 ESP clear 0
            stranger sent 10 no ESP clear 20
            transport_tcp carried ESP clear 0
            tunnel sent 10 received 10 ESP clear 0
            transport6 sent 10 received 10 ESP clear 0
            tunnel6 sent 10 received 10 ESP clear 0
            clear_in received 0 no ESP clear 0
            """;

    @Test
    void shouldProtectInVrfsAsTheKernelDoes() {
        try (Scene scene = new Scene("guest-vrf")) {
            TwoWires.program("vrf.py", scene.file("guest-vrf.py"));
            String script = SCRIPT.formatted(Requirement.PYTHON, BridgeProcess.program());
            assertEquals(
                    "kernel\n" + EXPECTED + "bridge\n" + EXPECTED.strip(),
                    QemuGuest.runOnHostFiles(scene, MODULES, script, LIMIT));
        }
    }
}
