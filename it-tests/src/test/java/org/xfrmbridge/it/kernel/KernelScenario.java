package org.xfrmbridge.it.kernel;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: most peers of a bridge are kernels. Topology: a host with a bridge, and a user-mode-linux guest, on one link.
 * Steps: the same {@code ip xfrm} commands, mirrored, on both: AES-GCM with ESN in a tunnel, AES-CBC with HMAC in IPv6
 * transport mode, ChaCha20-Poly1305 for IPv6 in IPv4; pings both ways, also in fragments. Expected: none is lost, only
 * ESP is on the wire.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.UML,
    Requirement.TCPDUMP,
    Requirement.FPING
})
class KernelScenario {
    /** The guest's end of the link. */
    static final String GUEST_NETWORK = """
            set -e
            echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
            ip link set lo up
            ip link set vec0 up
            ip address add 192.0.2.2/24 dev vec0
            ip address add 2001:db8:7::2/64 dev vec0 nodad
            """;

    private static final Duration GUEST_LIMIT = Duration.ofSeconds(180);
    private static final String GCM =
            " flag esn replay-window 128" + " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128";
    private static final String CBC = " replay-window 32 enc 'cbc(aes)' 0x0102030405060708090a0b0c0d0e0f10"
            + " auth-trunc 'hmac(sha256)' 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 128";
    private static final String CHACHA = " flag af-unspec replay-window 32 aead 'rfc7539esp(chacha20,poly1305)'"
            + " 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324 128";

    /** One end: its addresses, and the commands that give it what it shares with the other. */
    private record End(String outer4, String outer6, String inner4, String inner6) {
        static final End BRIDGE = new End("192.0.2.1", "2001:db8:7::1", "10.1.0.1", "fd01::1");
        static final End KERNEL = new End("192.0.2.2", "2001:db8:7::2", "10.2.0.1", "fd02::1");

        /** The databases of this end towards the other. SPIs 1xx lead from the bridge to the kernel, 2xx back. */
        String databases(End other) {
            return tunnel(outer4 + " " + other.outer4, inner4 + " " + other.inner4, "01", GCM)
                    + tunnel(outer4 + " " + other.outer4, inner6 + " " + other.inner6, "03", CHACHA)
                    + states(outer6, other.outer6, "02", "transport", CBC)
                    + policy(
                            outer6,
                            other.outer6,
                            " proto ipv6-icmp type 128 dir out",
                            outer6,
                            other.outer6,
                            "02",
                            "transport")
                    + policy(
                            outer6,
                            other.outer6,
                            " proto ipv6-icmp type 129 dir out",
                            outer6,
                            other.outer6,
                            "02",
                            "transport");
        }

        private String tunnel(String outer, String inner, String number, String algorithm) {
            String[] ends = outer.split(" ");
            String[] selector = inner.split(" ");
            return states(ends[0], ends[1], number, "tunnel", algorithm)
                    + policy(selector[0], selector[1], " dir out", ends[0], ends[1], number, "tunnel")
                    + policy(selector[1], selector[0], " dir in", ends[1], ends[0], number, "tunnel");
        }

        private String states(String local, String remote, String number, String mode, String algorithm) {
            boolean bridge = this == BRIDGE;
            return state(local, remote, (bridge ? "0x1" : "0x2") + number, number, mode, algorithm)
                    + state(remote, local, (bridge ? "0x2" : "0x1") + number, number, mode, algorithm);
        }

        private static String state(
                String source, String destination, String spi, String number, String mode, String algorithm) {
            return "ip xfrm state add src " + source + " dst " + destination + " proto esp spi " + spi + " reqid "
                    + number + " mode " + mode + algorithm + "\n";
        }

        private static String policy(
                String source, String destination, String rest, String from, String to, String number, String mode) {
            return "ip xfrm policy add src " + source + " dst " + destination + rest + " tmpl src " + from + " dst "
                    + to + " proto esp reqid " + number + " mode " + mode + "\n";
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldExchangePacketsWithKernelWhenKeysAreTheSame(Attachment attachment) {
        try (Scene scene = new Scene("kernel-" + attachment)) {
            Namespace wire = new Namespace(scene, "wire");
            Namespace host = new Namespace(scene, "host");
            join(wire, host);
            Sniffer sniffer = Sniffer.start(scene, wire, "guest");
            BridgeProcess bridge = BridgeProcess.start(scene, host, attachment);
            bridge.run("sh", "-ec", End.BRIDGE.databases(End.KERNEL));
            UmlGuest guest = UmlGuest.boot(scene, guestScript(), wire, "guest");
            guest.awaitOutput("ready", GUEST_LIMIT);
            for (List<String> pair : List.of(
                    List.of("10.1.0.1", "10.2.0.1"),
                    List.of("fd01::1", "fd02::1"),
                    List.of("2001:db8:7::1", "2001:db8:7::2"))) {
                new Ping(host, pair.get(0), pair.get(1)).send().assertComplete();
                new Ping(host, pair.get(0), pair.get(1))
                        .payloadBytes(3000)
                        .send()
                        .assertComplete();
            }
            stop(guest);
            String output = guest.finish(GUEST_LIMIT);
            assertTrue(output.contains(" 0% packet loss"), output);
            assertFalse(output.matches("(?s).*[1-9]\\d*% packet loss.*"), output);
            assertTrue(sniffer.espFrames() >= 120);
        }
    }

    static void join(Namespace wire, Namespace host) {
        wire.sysctl("ipv6.conf.all.disable_ipv6", 1);
        Namespace.connect(host, Gateway.DEVICE, wire, "left");
        wire.ip("tuntap", "add", "dev", "guest", "mode", "tap");
        wire.ip("link", "add", "switch", "type", "bridge");
        for (String port : List.of("left", "guest")) {
            wire.ip("link", "set", port, "master", "switch");
            wire.ip("link", "set", port, "up");
        }
        wire.ip("link", "set", "switch", "up");
        host.address("lo", End.BRIDGE.inner4() + "/32");
        host.address("lo", End.BRIDGE.inner6() + "/128");
        host.address(Gateway.DEVICE, End.BRIDGE.outer4() + "/24");
        host.address(Gateway.DEVICE, End.BRIDGE.outer6() + "/64");
        host.ip("route", "add", End.KERNEL.inner4(), "via", End.KERNEL.outer4(), "src", End.BRIDGE.inner4());
        host.ip("route", "add", End.KERNEL.inner6(), "via", End.KERNEL.outer6(), "src", End.BRIDGE.inner6());
    }

    private static String guestScript() {
        return GUEST_NETWORK + """
                ip address add 10.2.0.1/32 dev lo
                ip address add fd02::1/128 dev lo nodad
                ip route add 10.1.0.1 via 192.0.2.1 src 10.2.0.1
                ip route add fd01::1 via 2001:db8:7::1 src fd02::1
                """ + End.KERNEL.databases(End.BRIDGE) + """
                ping -n -q -c 5 -i 0.1 -W 2 -I 10.2.0.1 10.1.0.1 || true
                ping -n -q -c 5 -i 0.1 -W 2 -I fd02::1 fd01::1 || true
                ping -n -q -c 5 -i 0.1 -W 2 -s 3000 -I 10.2.0.1 10.1.0.1 || true
                ping -n -q -c 5 -i 0.1 -W 2 2001:db8:7::1 || true
                echo ready
                while [ ! -e /mnt/stop ]; do sleep 0.2; done
                ip -s xfrm state
                """;
    }

    static void stop(UmlGuest guest) {
        try {
            Files.createFile(guest.directory().resolve("stop"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
