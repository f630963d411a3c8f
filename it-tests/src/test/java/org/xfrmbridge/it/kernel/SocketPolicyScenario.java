package org.xfrmbridge.it.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Topology;

/**
 * Why: a packet carries no socket, and a kernel's policy of a socket holds for all that this sends: before it has a
 * port, behind close(), in the hands of another process. Topology: two hosts and the wire between them. Steps: on one,
 * programs set IP_XFRM_POLICY on sockets of all kinds, and send in all ways (sockets.py); once on Linux 6.1 in
 * user-mode-linux, once on a host with a bridge; and with a bridge that ends and comes back in between. Expected: the
 * same is protected, and more only where a kernel's TIME_WAIT has forgotten the socket.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.DEBIAN_PYTHON})
class SocketPolicyScenario {
    private static final Duration LIMIT = Duration.ofSeconds(150);
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String PROGRAM = "sockets.py";
    private static final String STATES = state(0x1001, "192.0.2.2", "192.0.2.1")
            + state(0x1002, "192.0.2.12", "192.0.2.1")
            + state(0x1003, "2001:db8:7::2", "2001:db8:7::1");

    private static String state(int spi, String from, String to) {
        return "ip xfrm state add src " + from + " dst " + to + " proto esp spi " + spi + " mode transport reqid 5"
                + " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128\n";
    }

    @Test
    @Requires(Requirement.UML)
    void shouldProtectWhatKernelProtectsOfSocketsWithPolicies() {
        String kernel = kernel();
        String bridge = bridge();
        assertTrue(kernel.contains("bound: esp\n") && kernel.contains("cleared: udp\n"), kernel);
        // Answers of TIME_WAIT have no socket's policy in a kernel; they may also come in the time of the next case.
        assertEquals(kernel.replace("esp tcp\n", "esp\n"), bridge);
    }

    private static String kernel() {
        try (Scene scene = new Scene("sockets-kernel")) {
            Namespace wire = new Namespace(scene, "wire");
            Namespace host = new Namespace(scene, "host");
            KernelScenario.join(wire, host);
            startPeer(scene, host);
            Daemon watch = startWatch(scene, wire, "guest");
            UmlGuest guest = UmlGuest.boot(
                    scene,
                    KernelScenario.GUEST_NETWORK + "ip address add 192.0.2.12/24 dev vec0\n" + STATES
                            + "while [ ! -e /mnt/go ]; do sleep 0.1; done\n" + Requirement.PYTHON + " /mnt/" + PROGRAM
                            + " all\n",
                    wire,
                    "guest");
            copyProgram(guest.directory().resolve(PROGRAM));
            create(guest.directory().resolve("go"));
            guest.finish(LIMIT);
            return seen(watch);
        }
    }

    private static String bridge() {
        try (Scene scene = new Scene("sockets-bridge")) {
            Topology topology = Topology.direct(scene);
            startPeer(scene, topology.left().host());
            Daemon watch = startWatch(scene, topology.wire(), Topology.RIGHT_PORT);
            Namespace host = topology.right().host();
            host.address(Gateway.DEVICE, "192.0.2.12/24");
            BridgeProcess bridge = BridgeProcess.start(scene, host);
            bridge.run("sh", "-ec", STATES);
            bridge.command(Requirement.PYTHON, scene.file(PROGRAM).toString(), "all")
                    .within(LIMIT)
                    .run();
            return seen(watch);
        }
    }

    private static void startPeer(Scene scene, Namespace host) {
        copyProgram(scene.file(PROGRAM));
        BridgeProcess.start(scene, host, Attachment.WIRE).run("sh", "-ec", STATES);
        start(scene, host, "peer");
    }

    private static Daemon startWatch(Scene scene, Namespace wire, String device) {
        return start(scene, wire, "wire", device);
    }

    private static Daemon start(Scene scene, Namespace host, String... arguments) {
        String[] line = new String[arguments.length + 2];
        line[0] = Requirement.PYTHON;
        line[1] = scene.file(PROGRAM).toString();
        System.arraycopy(arguments, 0, line, 2, arguments.length);
        Daemon daemon = scene.own(host.start(PROGRAM, scene.file(arguments[0] + ".log"), host.command(line)));
        daemon.awaitOutput("ready", SOON);
        return daemon;
    }

    private static String seen(Daemon watch) {
        watch.awaitOutput("\nend:", SOON);
        String output = watch.output();
        return output.substring(output.indexOf("start:"), output.indexOf("\nend:") + 1)
                .replaceFirst("start:.*\n", "");
    }

    /** Nobody tells a program that only has such a socket, and nobody else would tell the bridge. */
    @Test
    void shouldProtectWhatASocketSendsWhenTheBridgeHasEndedAndComeBack() {
        try (Scene scene = new Scene("sockets-restart")) {
            Topology topology = Topology.direct(scene);
            startPeer(scene, topology.left().host());
            Daemon watch = startWatch(scene, topology.wire(), Topology.RIGHT_PORT);
            Namespace host = topology.right().host();
            BridgeProcess bridge = BridgeProcess.start(scene, host);
            bridge.run("sh", "-ec", STATES);
            Path go = scene.file("go");
            Daemon program = scene.own(host.start(
                    PROGRAM,
                    scene.file("late.log"),
                    bridge.command(Requirement.PYTHON, scene.file(PROGRAM).toString(), "late", go.toString())));
            program.awaitOutput("protected", SOON);
            // What waits in the TAP of a bridge that is killed is lost.
            watch.awaitOutput("start:", SOON);
            bridge.kill9();
            bridge.start();
            bridge.run("sh", "-ec", STATES);
            create(go);
            program.finish(SOON);
            String seen = seen(watch);
            assertTrue(seen.contains("late: esp\n"), seen);
        }
    }

    private static void create(Path file) {
        try {
            Files.createFile(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copyProgram(Path to) {
        try (InputStream text = SocketPolicyScenario.class.getResourceAsStream(PROGRAM)) {
            Files.copy(text, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
