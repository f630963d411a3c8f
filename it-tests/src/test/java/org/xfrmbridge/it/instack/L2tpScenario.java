package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.ClearPackets;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: L2TP over IPsec is transport mode for UDP port 1701, and a firewall that lets that port in through IPsec alone.
 * Topology: a client and a server, bridges in their stacks, xl2tpd on both; in place of pppd, which needs a kernel's
 * PPP, a program (ppp.py) that passes IPv4 on. A stranger on the wire. Steps: the policies that strongSwan and
 * libreswan install for the usual configurations; the rules of popular images on the server, and what
 * {@code xfrm-bridge firewall} says for them; the client dials, and pings the server inside; the stranger dials in the
 * clear. Expected: the call stands and carries pings, all of it is ESP; the stranger gets an answer without the rules,
 * and none with them.
 */
@TestMethodOrder(OrderAnnotation.class)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.BRIDGE,
    Requirement.IPTABLES,
    Requirement.XL2TPD,
    Requirement.DEBIAN_PYTHON
})
class L2tpScenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String STRANGER = "192.0.2.66";
    private static final String INNER_CLIENT = "192.168.42.10";
    private static final String INNER_SERVER = "192.168.42.1";
    private static final String STATES = """
            for way in '192.0.2.1 192.0.2.2 0x1001' '192.0.2.2 192.0.2.1 0x1002'; do
                set -- $way
                ip xfrm state add src $1 dst $2 proto esp spi $3 reqid 1 mode transport \
                    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
            done
            """;
    private static final String POLICY = """
            ip xfrm policy add src %s/32 dst %s/32 proto udp %s dir %s tmpl proto esp reqid 1 mode transport
            """;
    private static final String SERVER = """
            [global]
            port = 1701
            access control = no
            [lns default]
            ip range = 192.168.42.10-192.168.42.250
            local ip = 192.168.42.1
            require authentication = no
            length bit = yes
            pppoptfile = %s
            """;
    private static final String CLIENT = """
            [global]
            port = 1701
            access control = no
            [lac server]
            lns = 192.0.2.2
            require authentication = no
            length bit = yes
            autodial = yes
            redial = yes
            redial timeout = 1
            pppoptfile = %s
            """;

    private static BridgedPair hosts;
    private static Scene scene;
    private static Daemon server;

    @BeforeAll
    static void start() {
        hosts = BridgedPair.start("l2tp", Topology::direct);
        scene = hosts.scene();
        // A stranger speaks in the clear by intention.
        hosts.sniffer().dismiss();
        server = startXl2tpd(Side.RIGHT, SERVER, INNER_SERVER + " " + INNER_CLIENT);
    }

    @AfterAll
    static void end() {
        if (hosts != null) {
            hosts.close();
        }
    }

    private static Namespace host(Side side) {
        return hosts.topology().site(side).host();
    }

    private static Daemon startXl2tpd(Side side, String configuration, String addresses) {
        String role = host(side).role();
        Path options = Lab.write(scene.file(role + "-options"), addresses);
        Path file = Lab.write(scene.file(role + "-xl2tpd.conf"), configuration.formatted(options));
        Path ppp = TwoWires.program("ppp.py", scene.file(role + "-ppp.py"));
        Command.of("chmod", "+x", ppp.toString()).run();
        // In a mount namespace that only it has, for the program has that path built in.
        String line = "mount --bind " + ppp + " /usr/sbin/pppd && exec xl2tpd -D -c " + file + " -p "
                + scene.file(role + "-xl2tpd.pid") + " -C " + scene.file(role + "-xl2tpd.control");
        return scene.own(host(side)
                .start(
                        "xl2tpd",
                        scene.file(role + "-xl2tpd.log"),
                        host(side).command("unshare", "--mount", "sh", "-c", line)));
    }

    private static String strangersAnswer() {
        return hosts.topology()
                .wire()
                .run(
                        Requirement.PYTHON,
                        TwoWires.program("sccrq.py", scene.file(scene.uniqueName()))
                                .toString(),
                        "192.0.2.2")
                .strip();
    }

    private static List<String> clear(String host) {
        return hosts.sniffer().packets("udp port 1701 and host " + host);
    }

    @Test
    @Order(1)
    void shouldAnswerAStrangerWithoutRules() {
        hosts.topology().wire().address("switch", STRANGER + "/24");
        assertEquals("answered", strangersAnswer());
        assertFalse(clear(STRANGER).isEmpty());
    }

    @Test
    @Order(2)
    void shouldCarryACallAsEsp() {
        // The client may come from any port: libreswan's rightprotoport=17/%any.
        install(Side.RIGHT, "sport 1701", "dport 1701");
        install(Side.LEFT, "sport 1701 dport 1701", "sport 1701 dport 1701");
        host(Side.RIGHT).run("sh", "-ec", """
                iptables -A INPUT -p udp --dport 1701 -m policy --dir in --pol none -j DROP
                iptables -A INPUT -p udp -m multiport --dports 500,4500 -j ACCEPT
                iptables -A INPUT -p udp --dport 1701 -m policy --dir in --pol ipsec -j ACCEPT
                iptables -A INPUT -p udp --dport 1701 -j DROP
                """ + BridgeProcess.program() + " firewall | sh\n");
        Daemon client = startXl2tpd(Side.LEFT, CLIENT, INNER_CLIENT + " " + INNER_SERVER);
        client.awaitOutput("Call established", SOON);
        Await.until(
                "the address of the call",
                SOON,
                () -> host(Side.LEFT).ip("address").contains(INNER_CLIENT));
        Ping ping = new Ping(host(Side.LEFT), INNER_CLIENT, INNER_SERVER);
        Await.until("an answer inside", SOON, () -> ping.send(1, 50).lost() == 0);
        int before = hosts.sniffer().espFrames();
        for (int payloadBytes : new int[] {56, 1372}) {
            for (int count = 0; count < 5; count++) {
                // xl2tpd drops a frame if it looks while its terminal has only a part of it.
                Await.until(
                        "an answer to " + payloadBytes + " bytes",
                        SOON,
                        () -> ping.payloadBytes(payloadBytes).send(1, 50).lost() == 0);
            }
        }
        assertTrue(hosts.sniffer().espFrames() - before >= 20);
        ClearPackets.assertNone(clear("192.0.2.1"));
    }

    private static void install(Side side, String out, String in) {
        String here = side == Side.LEFT ? "192.0.2.1" : "192.0.2.2";
        String there = side == Side.LEFT ? "192.0.2.2" : "192.0.2.1";
        hosts.bridge(side)
                .run(
                        "sh",
                        "-ec",
                        STATES + POLICY.formatted(here, there, out, "out") + POLICY.formatted(there, here, in, "in"));
    }

    @Test
    @Order(3)
    void shouldNotAnswerAStranger() {
        assertEquals("silence", strangersAnswer());
        assertTrue(server.isAlive(), server::output);
    }
}
