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
 * Why: sockets that are bound to an interface, members of groups and what has link-local addresses get packets by that
 * interface alone, and a bridge has others come in by its TAP. Topology: in a guest with Linux 6.12 a host, a peer and
 * another member of their groups, whose ESP is their kernel's; one wire, a sniffer on the host's end. Steps:
 * arrivals.py twice, with the host's own kernel and with a bridge: pings, TCP and UDP, client and server, by bound
 * sockets, in transport and tunnel mode, both families; packets of a routing protocol; link-local addresses; groups of
 * three members, and clear packets to them. Expected: with the bridge the same as with the kernel, and nothing in the
 * clear.
 */
@Tag("alone")
@EnabledIfSystemProperty(named = "guest.links", matches = "true")
@Requires({Requirement.ROOT, Requirement.BRIDGE, Requirement.TCPDUMP, Requirement.DEBIAN_PYTHON, Requirement.QEMU_FILES
})
class ArrivalScenario {
    private static final String EXPECTED = """
            ping 10 ESP clear 0
            client carried ESP clear 0
            server carried ESP clear 0
            datagrams 10 eth0 answered 10 ESP clear 0
            questions 10 eth0 answered 10 ESP clear 0
            routing 10 eth0 answered 0 ESP clear 0
            ping6 10 ESP clear 0
            server6 carried ESP clear 0
            link 10 10 carried 10 eth0 answered 0 ESP clear 0
            tunnel 10 carried carried ESP clear 0
            tunnel6 carried ESP clear 0
            group_in 10 eth0, 10 eth0 ESP clear 0
            group_out 10 eth0, 10 eth0 ESP clear 0
            group_clear 0, 0 no ESP clear 0
            group6_in 10 eth0, 10 eth0 ESP clear 0
            group6_out 10 eth0, 10 eth0 ESP clear 0
            """;

    @Test
    void shouldHavePacketsComeInWhereTheirSocketsAreAsTheKernelDoes() {
        try (Scene scene = new Scene("guest-arrivals")) {
            List<String> modules =
                    StackGuest.modules("sch_ingress", "cls_u32", "act_mirred", "inet_diag", "tcp_diag", "udp_diag");
            assertEquals(
                    StackGuest.twice(EXPECTED),
                    StackGuest.outputOfBoth(scene, modules, "arrivals.py", "wires", "host"));
        }
    }
}
