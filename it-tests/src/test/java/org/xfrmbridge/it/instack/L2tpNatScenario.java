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
 * Why: two clients in transport mode behind one NAT have one address outside, so that ports or marks alone tell their
 * policies apart. Topology: in a guest with Linux 6.12 two clients whose ESP is their kernel's, a router that gives
 * them one address, a server; a sniffer outside of the router; programs in the place of L2TP daemons. Steps:
 * l2tp-nat.py twice, with the server's own kernel and with a bridge: policies by the clients' ports; alike; by marks
 * that rules and connection tracking give, as strongSwan's connmark does. Expected: with the bridge the same as with
 * the kernel: each client gets its own answers, but for the one whose policy the other's has replaced; nothing in the
 * clear.
 */
@Tag("alone")
@EnabledIfSystemProperty(named = "guest.links", matches = "true")
@Requires({Requirement.ROOT, Requirement.BRIDGE, Requirement.TCPDUMP, Requirement.DEBIAN_PYTHON, Requirement.QEMU_FILES
})
class L2tpNatScenario {
    private static final String EXPECTED = """
            by_port client 1: 10 client 2: 10 clear 0
            alike client 1: 0 client 2: 10 clear 0
            by_mark client 1: 10 client 2: 10 clear 0
            """;

    @Test
    void shouldTellClientsApartAsTheKernelDoes() {
        try (Scene scene = new Scene("guest-l2tp-nat")) {
            List<String> modules = StackGuest.modules("nft_nat", "nft_masq", "nf_conntrack");
            assertEquals(
                    StackGuest.twice(EXPECTED),
                    StackGuest.outputOfBoth(scene, modules, "l2tp-nat.py", "hosts", "server"));
        }
    }
}
