package org.xfrmbridge.it.libreswan;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Outage;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.strongswan.Connection;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: States do not outlive their bridge, and who believes in them asks for no others. Topology: two hosts, pluto on
 * the left, charon on the right. Steps: pluto asks for an SA; pings from its side, or from the other so that it only
 * receives; its bridge is killed and started again. Expected: pluto hears that its States are gone and negotiates at
 * once, without a packet in the clear.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.LIBRESWAN,
    Requirement.CHARON,
    Requirement.BRIDGE
})
@Tag("debian-13-at-night")
class HealingScenario {
    private static final String CONNECTION = """
            conn wire
                leftid=@%s
                rightid=@%s
                authby=secret
                ikev2=insist
                ike=aes128-sha256-dh31
                auto=add
                left=192.0.2.1
                right=192.0.2.2
                %s
                esp=aes_gcm128-null
            """;
    private static final String TUNNEL =
            "leftsubnet=10.1.0.1/32\n    rightsubnet=10.2.0.1/32\n    leftsourceip=10.1.0.1";
    private static final String TRANSPORT = "type=transport";

    private BridgedPair hosts;

    @AfterEach
    void end() {
        hosts.close();
    }

    @ParameterizedTest
    @CsvSource({"LEFT, tunnel, STACK", "RIGHT, transport, WIRE"})
    void shouldNegotiateAtOnceWhenTheBridgeIsBack(Side from, String mode, Attachment plutos) {
        hosts = BridgedPair.start("healing-libreswan", Topology::direct, plutos, Attachment.STACK, List.of());
        Charon charon =
                Charon.start(hosts.scene(), hosts.topology().right().host(), hosts.bridge(Side.RIGHT), Map.of());
        Connection connection = new Connection("wire");
        Connection.Child child = connection.child("wire", Family.IPV4).set("esp_proposals", "aes128gcm16-x25519");
        Ping ping = Ping.inner(hosts.topology(), from, Family.IPV4);
        if (mode.equals("transport")) {
            child.transport();
            ping = Ping.outer(hosts.topology(), from, Family.IPV4);
        }
        Connection.load(charon, hosts.topology(), Side.RIGHT, connection);
        Pluto pluto = Pluto.start(
                hosts,
                Side.LEFT,
                CONNECTION.formatted(
                        Side.LEFT.identity(), Side.RIGHT.identity(), mode.equals("tunnel") ? TUNNEL : TRANSPORT));
        pluto.ipsec("auto", "--up", "wire").run();
        Outage.assertShort(hosts, Side.LEFT, ping, "pluto, %s, pings from the %s".formatted(mode, from));
    }
}
