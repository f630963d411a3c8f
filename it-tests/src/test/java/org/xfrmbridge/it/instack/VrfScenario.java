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

    private static final String FORWARDED = """
            XfrmFwdHdrError fwd-into-vrf
            icmp 10.2.0.1 -> 10.1.0.9 (84 bytes) came through a tunnel of a VRF and is to be forwarded there, past the \
            host's rules
            policy src 10.2.0.1/32 dst 10.1.0.9/32 SPI 0x00001002
            """;

    @Test
    void shouldProtectInVrfsAsTheKernelDoes() {
        try (Scene scene = new Scene("guest-vrf")) {
            List<String> modules = StackGuest.modules("vrf");
            String script = StackGuest.scriptOfBoth("vrf.py", "wires", "host")
                    + "echo forwarded\n"
                    + StackGuest.onBridge("vrf.py", "forwarded");
            assertEquals(
                    StackGuest.twice(EXPECTED) + "\nforwarded\n" + FORWARDED.strip(),
                    StackGuest.output(scene, modules, script, "vrf.py"));
        }
    }
}
