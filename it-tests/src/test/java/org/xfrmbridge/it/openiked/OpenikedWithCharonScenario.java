package org.xfrmbridge.it.openiked;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.BridgedPair;
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
 * Why: two daemons that know nothing of each other, one over PF_KEY, one over netlink, must make SAs that fit.
 * Topology: two hosts, iked on the left, charon on the right. Steps: each initiates, rekeys and deletes, in tunnel and
 * transport mode, with pings in between. Expected: no ping is lost, all is ESP, and both bridges hold the same SPIs.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.IKED,
    Requirement.CHARON,
    Requirement.BRIDGE
})
class OpenikedWithCharonScenario {
    private static final String PROPOSALS = "aes128-sha1-x25519";

    private BridgedPair hosts;
    private Charon charon;

    @BeforeEach
    void startCharon() {
        hosts = BridgedPair.start(
                "openiked-with-charon", Topology::direct, Attachment.WIRE, Attachment.STACK, List.of());
        charon = Charon.start(hosts.scene(), hosts.topology().right().host(), hosts.bridge(Side.RIGHT), Map.of());
    }

    @AfterEach
    void endBridges() {
        hosts.close();
    }

    @Test
    void shouldRekeyFromBothEndsWhenIkedInitiates() {
        Connection connection = new Connection("wire");
        connection.child("tunnel", Family.IPV4).set("esp_proposals", PROPOSALS);
        Connection.load(charon, hosts.topology(), Side.RIGHT, connection);
        IkedConf configuration = new IkedConf(hosts.topology(), "tunnel", Family.IPV4);
        configuration.route(Side.LEFT);
        Iked iked = Iked.start(hosts, Side.LEFT, configuration.of(Side.LEFT, "active"));
        iked.awaitEstablished();
        Ping ping = Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4);
        hosts.assertProtected(ping);

        List<String> first = hosts.onePairOfSas();
        assertEquals(0, IkedConf.lostBeyondLifetime(ping));
        hosts.awaitReplaced(first);
        List<String> second = hosts.onePairOfSas();
        charon.swanctl("--rekey", "--child", "tunnel");
        hosts.awaitReplaced(second);
        hosts.assertProtected(Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4));

        iked.reset(Side.RIGHT);
        hosts.awaitNoStates();
    }

    @Test
    void shouldDeleteBothEndsWhenCharonEndsTransportMode() {
        Connection connection = new Connection("wire").outer(Family.IPV6);
        connection.child("host", Family.IPV6).transport().set("esp_proposals", PROPOSALS);
        Connection.load(charon, hosts.topology(), Side.RIGHT, connection);
        Iked.start(hosts, Side.LEFT, new IkedConf(hosts.topology(), "transport", Family.IPV6).of(Side.LEFT, "passive"));
        charon.swanctl("--initiate", "--timeout", "30", "--child", "host");
        hosts.assertProtected(Ping.outer(hosts.topology(), Side.RIGHT, Family.IPV6));

        hosts.onePairOfSas();
        charon.swanctl("--terminate", "--timeout", "30", "--ike", "wire");
        hosts.awaitNoStates();
        assertEquals("", hosts.policies(Side.RIGHT));
    }
}
