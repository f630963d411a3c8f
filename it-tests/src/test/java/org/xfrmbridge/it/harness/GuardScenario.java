package org.xfrmbridge.it.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Topology;

/**
 * Why: a guard that never cries is worth nothing, so the sniffer and the oracle are tested themselves. Topology: two
 * hosts and the wire between them, no bridge. Steps: traffic in the clear, of both families and in fragments. Expected:
 * the sniffer reports each of it; ARP and neighbour discovery alone pass.
 */
@Requires({Requirement.ROOT, Requirement.TCPDUMP, Requirement.FPING})
class GuardScenario {
    @Test
    void shouldReportEveryPacketInTheClear() {
        try (Scene scene = new Scene("guard")) {
            Topology topology = Topology.direct(scene);
            Sniffer sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
            sniffer.dismiss();
            outerPing(topology, Gateway.Family.IPV4).send(1, 10).assertComplete();
            assertEquals(2, sniffer.clearFrames());
            outerPing(topology, Gateway.Family.IPV6).send(1, 10).assertComplete();
            assertEquals(4, sniffer.clearFrames());
            outerPing(topology, Gateway.Family.IPV6)
                    .payloadBytes(3000)
                    .send(1, 10)
                    .assertComplete();
            assertEquals(10, sniffer.clearFrames());
            assertThrows(AssertionError.class, sniffer::assertNothingClear);
        }
    }

    @Test
    void shouldStaySilentWhenOnlyNeighboursAreSought() {
        try (Scene scene = new Scene("guard-silent")) {
            Topology topology = Topology.direct(scene);
            Sniffer sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
            assertEquals(
                    1,
                    new Ping(topology.left().host(), "192.0.2.1", "192.0.2.77")
                            .send(1, 10)
                            .lost());
            sniffer.assertNothingClear();
        }
    }

    @Test
    void shouldTranslateSourceWhenRouterMasquerades() {
        try (Scene scene = new Scene("guard-nat")) {
            Topology topology = Topology.natted(scene);
            Sniffer sniffer = Sniffer.start(scene, topology.wire(), Topology.RIGHT_PORT);
            sniffer.dismiss();
            outerPing(topology, Gateway.Family.IPV4).send(2, 10).assertComplete();
            topology.renumberRouter(Topology.ROUTER_OUTSIDE, "192.0.2.9");
            outerPing(topology, Gateway.Family.IPV4).send(2, 10).assertComplete();
        }
    }

    @Test
    @Requires(Requirement.UML)
    void shouldReachRealKernelWithEspWhenGuestBoots() {
        try (Scene scene = new Scene("guard-uml")) {
            UmlGuest guest = UmlGuest.boot(scene, """
                    ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100 mode tunnel \\
                        aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128
                    ip xfrm state
                    """);
            String output = guest.finish(Duration.ofSeconds(60));
            assertTrue(output.contains("proto esp spi 0x00000100"), output);
        }
    }

    private static Ping outerPing(Topology topology, Gateway.Family family) {
        return new Ping(
                topology.left().host(),
                topology.left().outer().of(family),
                topology.right().outer().of(family));
    }
}
