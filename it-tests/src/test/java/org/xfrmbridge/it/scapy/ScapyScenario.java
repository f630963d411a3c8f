package org.xfrmbridge.it.scapy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: two bridges that misread RFC 4303 in the same way agree with each other; Scapy's ESP shares no line with ours.
 * Topology: a host with a bridge, and Scapy on the other host, which has none. Steps: SAs and policies by {@code ip
 * xfrm} with fixed keys; Scapy sends an echo request under ESP. Expected: the host's own answer comes back under ESP
 * and Scapy opens it.
 */
@ParameterizedClass
@EnumSource
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.SCAPY})
class ScapyScenario {
    private static final String GCM = "aead rfc4106(gcm(aes)) 0x0102030405060708090a0b0c0d0e0f1011121314 128";
    private static final String CBC = "enc cbc(aes) 0x0102030405060708090a0b0c0d0e0f10"
            + " auth-trunc hmac(sha256) 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 128";
    /** A socket as an IKE daemon has it: bound to port 4500, with UDP_ENCAP. */
    private static final String ENCAPSULATION_SOCKET = """
            import socket, time
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("0.0.0.0", 4500))
            s.setsockopt(socket.IPPROTO_UDP, 100, 2)
            print("open", flush=True)
            time.sleep(600)
            """;

    @Parameter
    private Attachment attachment;

    private Scene scene;
    private Topology topology;
    private BridgeProcess bridge;

    @BeforeParameterizedClassInvocation
    void start() {
        scene = new Scene("scapy-" + attachment);
        topology = Topology.direct(scene);
        bridge = BridgeProcess.start(scene, topology.left().host(), attachment);
        try (InputStream script = ScapyScenario.class.getResourceAsStream("peer.py")) {
            Files.copy(script, scene.file("peer.py"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path log = scene.file("encapsulation-socket.log");
        Daemon socket = scene.own(topology.left()
                .host()
                .start("python3", log, bridge.command(Requirement.PYTHON, "-c", ENCAPSULATION_SOCKET)));
        socket.awaitOutput("open", Duration.ofSeconds(30));
    }

    @AfterParameterizedClassInvocation
    void end() {
        if (scene != null) {
            scene.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "tunnel, 4, 4, plain, gcm", "tunnel, 4, 4, plain, cbc", "tunnel, 6, 6, plain, gcm", "tunnel, 4, 6, plain, gcm",
        "tunnel, 6, 4, plain, cbc", "transport, 4, 4, plain, gcm", "transport, 4, 4, plain, cbc",
                "transport, 6, 6, plain, gcm",
        "tunnel, 4, 4, udp, gcm", "tunnel, 6, 4, udp, cbc", "transport, 4, 4, udp, gcm"
    })
    void shouldAnswerUnderEspWhenScapyAsksUnderEsp(
            String mode, String inner, String outer, String encapsulation, String algorithm) {
        Exchange exchange = new Exchange(mode, inner, outer);
        exchange.install(encapsulation, algorithm);
        String mac = topology.left()
                .host()
                .run("cat", "/sys/class/net/" + bridge.device() + "/address")
                .strip();
        String output = topology.right()
                .host()
                .command(
                        Requirement.PYTHON,
                        scene.file("peer.py").toString(),
                        mode,
                        inner,
                        outer,
                        encapsulation,
                        algorithm,
                        mac)
                .run();
        assertTrue(output.contains("opened"), output);
    }

    /** SAs and policies between the two hosts, for one mode. */
    private final class Exchange {
        private final String mode;
        private final String inner;
        private final String[] outer;

        Exchange(String mode, String inner, String outer) {
            this.mode = mode;
            this.inner = inner;
            this.outer =
                    addresses(outer, topology.left().outer(), topology.right().outer());
        }

        private static String[] addresses(String family, Gateway.Addresses local, Gateway.Addresses remote) {
            return family.equals("4") ? new String[] {local.v4(), remote.v4()} : new String[] {local.v6(), remote.v6()};
        }

        void install(String encapsulation, String algorithm) {
            bridge.run("ip", "xfrm", "state", "flush");
            bridge.run("ip", "xfrm", "policy", "flush");
            String local = outer[0];
            String remote = outer[1];
            state(remote, local, "0x1001", encapsulation, algorithm);
            state(local, remote, "0x1002", encapsulation, algorithm);
            String[] protectedPair = mode.equals("tunnel")
                    ? addresses(inner, topology.left().inner(), topology.right().inner())
                    : outer;
            // an echo only: neighbours must find each other in the clear
            String request = inner.equals("4") ? " proto icmp type 8" : " proto ipv6-icmp type 128";
            String reply = inner.equals("4") ? " proto icmp type 0" : " proto ipv6-icmp type 129";
            policy("src " + protectedPair[1] + " dst " + protectedPair[0] + request + " dir in", remote, local);
            policy("src " + protectedPair[0] + " dst " + protectedPair[1] + reply + " dir out", local, remote);
            route(protectedPair);
        }

        private void state(String source, String destination, String spi, String encapsulation, String algorithm) {
            List<String> line = words("ip xfrm state add src " + source + " dst " + destination + " proto esp spi "
                    + spi + " reqid 1 mode " + mode + " replay-window 32 flag af-unspec");
            line.addAll(words(algorithm.equals("gcm") ? GCM : CBC));
            if (encapsulation.equals("udp")) {
                line.addAll(words("encap espinudp 4500 4500 0.0.0.0"));
            }
            bridge.run(line.toArray(String[]::new));
        }

        private void policy(String selector, String source, String destination) {
            bridge.run(words("ip xfrm policy add " + selector + " tmpl src " + source + " dst " + destination
                            + " proto esp reqid 1 mode " + mode)
                    .toArray(String[]::new));
        }

        /** A way that has a neighbour, of the inner family. */
        private void route(String[] pair) {
            if (mode.equals("tunnel")) {
                Gateway.Addresses gateway = topology.site(Side.RIGHT).outer();
                topology.left()
                        .host()
                        .ip(
                                "route",
                                "replace",
                                pair[1],
                                "via",
                                inner.equals("4") ? gateway.v4() : gateway.v6(),
                                "src",
                                pair[0]);
            }
        }

        private static List<String> words(String line) {
            return new ArrayList<>(List.of(line.split(" ")));
        }
    }
}
