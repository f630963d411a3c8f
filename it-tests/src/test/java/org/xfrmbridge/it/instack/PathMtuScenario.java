package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.NetTunnels;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Topology;

/**
 * Why: what does not fit into the tunnel must not vanish, not even the first packet, and not where ICMP is filtered.
 * Topology: two gateways with {@code --clamp-mss} and clients behind them, a tunnel between their networks. Steps:
 * datagrams of many sizes with every kind of path MTU discovery, and streams, from a gateway itself and from a client;
 * then the same streams where everybody drops what ICMP tells of MTUs. Expected: all arrive but those too long for
 * whoever forbids fragments, of which he is told; clients are told from their gateway's address.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.NFT,
    Requirement.DEBIAN_PYTHON,
    Requirement.BRIDGE
})
class PathMtuScenario {
    private static final Duration LIMIT = Duration.ofSeconds(240);
    private static final String PROGRAM = "sizes.py";
    private static final String STREAM_BYTES = "3000000";
    private static final String TOO_LONG = "Message too long";
    private static final List<String> LEFT_GATEWAY = List.of("10.1.0.100", "fd01::100");
    private static final List<String> RIGHT_GATEWAY = List.of("10.2.0.100", "fd02::100");

    private BridgedPair hosts;
    private Path program;

    @BeforeAll
    void start() {
        hosts = BridgedPair.start(
                "path-mtu", Topology::gateways, Attachment.STACK, Attachment.STACK, List.of("--clamp-mss"));
        program = copyProgram();
        NetTunnels.install(hosts, inner -> Family.IPV4);
        Gateway right = hosts.topology().right();
        serve(right.client(), right.inner().v4(), right.inner().v6());
        serve(right.host(), RIGHT_GATEWAY.getFirst(), RIGHT_GATEWAY.getLast());
    }

    private void serve(Namespace where, String... addresses) {
        Path log = hosts.scene().file("server-" + where.role() + ".log");
        Command command = python(where, "serve", addresses[0], addresses[1]);
        Daemon server = hosts.scene().own(where.start(PROGRAM, log, command));
        server.awaitOutput("ready", LIMIT);
    }

    private Path copyProgram() {
        Path to = hosts.scene().file(PROGRAM);
        try (InputStream text = PathMtuScenario.class.getResourceAsStream(PROGRAM)) {
            Files.copy(text, to);
            return to;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Command python(Namespace where, String... arguments) {
        List<String> line = new ArrayList<>(List.of(Requirement.PYTHON, program.toString()));
        line.addAll(List.of(arguments));
        return where.command(line).within(LIMIT);
    }

    @BeforeEach
    void forgetPathMtus() {
        for (Namespace host : List.of(leftGateway(), leftClient())) {
            host.run("sh", "-c", "ip route flush cache; ip -6 route flush cache");
        }
    }

    @AfterAll
    void end() {
        if (hosts != null) {
            hosts.close();
        }
    }

    private Namespace leftGateway() {
        return hosts.topology().left().host();
    }

    private Namespace leftClient() {
        return hosts.topology().left().client();
    }

    private String there(Family family) {
        return hosts.topology().right().inner().of(family);
    }

    @Test
    void shouldLoseNoFirstPacketOfTheHostItself() {
        for (Family family : Family.values()) {
            String source = LEFT_GATEWAY.get(family.ordinal());
            String destination = RIGHT_GATEWAY.get(family.ordinal());
            for (int bytes : new int[] {1400, 8000, 60000}) {
                new Ping(leftGateway(), source, destination)
                        .payloadBytes(bytes)
                        .send(1, 50)
                        .assertComplete();
            }
            forgetPathMtus();
            assertArrive(python(leftGateway(), "udp", source, destination, "1300", "1420", "8000", "60000"));
        }
    }

    @Test
    void shouldTellWhoForbidsFragmentsFromTheGatewaysAddress() {
        for (Family family : Family.values()) {
            String told = leftClient()
                    .command("ping", "-c", "2", "-W", "2", "-M", "do", "-s", "1420", there(family))
                    .result()
                    .output();
            assertTrue(told.contains("From " + LEFT_GATEWAY.get(family.ordinal()) + " icmp_seq=1"), told);
            assertTrue(told.contains("mtu"), told);
            assertFalse(told.contains("1428 bytes from"), told);
            Ping ping = new Ping(leftClient(), hosts.topology().left().inner().of(family), there(family));
            ping.payloadBytes(8000).send(2, 50).assertComplete();
        }
    }

    @Test
    void shouldLetStreamsFlowWhereIcmpIsFiltered() {
        List<Namespace> all = List.of(
                leftGateway(),
                leftClient(),
                hosts.topology().right().host(),
                hosts.topology().right().client());
        for (Namespace host : all) {
            host.run(
                    "nft",
                    "add table inet silence; add chain inet silence in { type filter hook input priority 0; };"
                            + " add rule inet silence in icmp type destination-unreachable drop;"
                            + " add rule inet silence in icmpv6 type packet-too-big drop");
        }
        try {
            for (Family family : Family.values()) {
                assertFlows(leftGateway(), LEFT_GATEWAY.get(family.ordinal()), family);
                assertFlows(leftClient(), hosts.topology().left().inner().of(family), family);
            }
        } finally {
            all.forEach(host -> host.run("nft", "delete table inet silence"));
        }
    }

    private void assertFlows(Namespace from, String source, Family family) {
        String arrived =
                python(from, "tcp", source, there(family), STREAM_BYTES).run();
        assertEquals(STREAM_BYTES, arrived.strip());
    }

    /** All, but those that must not be divided and are longer than the way is known to be. */
    private static void assertArrive(Command udp) {
        List<String> lines = udp.run().lines().toList();
        assertEquals(12, lines.size());
        for (String line : lines) {
            boolean mayBeRefused = line.startsWith("do ") && line.matches("do \\d{4,} " + TOO_LONG);
            assertTrue(line.endsWith(" arrived") || mayBeRefused, () -> String.join("\n", lines));
        }
        assertTrue(lines.contains("do 1300 arrived"), () -> String.join("\n", lines));
        assertTrue(lines.contains("do 60000 " + TOO_LONG), () -> String.join("\n", lines));
    }
}
