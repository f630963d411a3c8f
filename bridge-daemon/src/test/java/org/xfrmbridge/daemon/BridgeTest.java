package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.attach.DeviceNames;
import org.xfrmbridge.daemon.attach.WirePlan;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.xfrm.PolicySpec;

/** The whole program without policies: everything passes. */
@Timeout(120)
class BridgeTest {
    private static final int PORT = 7000;
    private static final int BYTES = 8 << 20;

    @TempDir
    private Path directory;

    private BridgeOptions options() {
        return options("veth0", directory);
    }

    private static BridgeOptions options(String original, Path directory) {
        return new BridgeOptions(
                new WirePlan(DeviceNames.of(original, "xfrm0"), true), directory, -1, PathContext.DEFAULT_FLOWS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.2", "2001:db8::2"})
    void shouldPassPingAndTcpBothWaysWhenThereIsNoPolicy(String peer) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            Bridge bridge = network.inHere(() -> Bridge.start(options()));
            assertTrue(network.ping(peer));
            CompletableFuture<ServerSocket> server =
                    network.startInThere(() -> new ServerSocket(PORT, 1, InetAddress.getByName(peer)));
            ServerSocket listening = TestNetwork.within(server);
            CompletableFuture<Long> echo = network.startInThere(() -> echo(listening));
            long received = network.inHere(() -> exchange(peer));
            assertEquals(checksum(), received);
            assertEquals(checksum(), TestNetwork.within(echo));
            String stat = ControlClient.ask(directory, "stat json");
            assertTrue(stat.contains("\"dropped\": 0") && !stat.contains("\"passed\": 0"), stat);
            network.inHere(() -> {
                bridge.close();
                return null;
            });
            assertTrue(network.ping(peer));
        }
    }

    /** A frame for the MAC address of a bridge port, or of the bridge itself, must find no host behind it. */
    @ParameterizedTest
    @ValueSource(strings = {"xfrm0b", "xfrm0n", "veth0"})
    void shouldTakeNothingInPastTheDatapath(String device) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            Bridge bridge = network.inHere(() -> Bridge.start(options()));
            assertTrue(network.pingFromThere("192.0.2.1"));
            String mac = network.ip("link show " + device).replaceAll("(?s).*link/ether (\\S+).*", "$1");
            network.ipThere("neigh replace 192.0.2.1 lladdr " + mac + " dev veth0 nud permanent");
            network.ipThere("neigh replace 2001:db8::1 lladdr " + mac + " dev veth0 nud permanent");
            assertFalse(network.pingFromThere("192.0.2.1"));
            assertFalse(network.pingFromThere("2001:db8::1"));
            network.inHere(() -> {
                bridge.close();
                return null;
            });
        }
    }

    @Test
    void shouldKeepASecondBridgeOutOfTheDirectory() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            Bridge bridge = network.inHere(() -> Bridge.start(options()));
            network.inHere(() -> {
                assertThrows(IOException.class, () -> Bridge.start(options()));
                assertThrows(IOException.class, () -> Bridge.detach(directory));
                bridge.close();
                return null;
            });
        }
    }

    @Test
    void shouldGiveTheInterfaceBackWhenItFailsAfterAttaching() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            String before = network.ip("addr show");
            BridgeOptions withoutFlows = new BridgeOptions(options().plan(), directory, -1, 0);
            network.inHere(() -> {
                assertThrows(IllegalArgumentException.class, () -> Bridge.start(withoutFlows));
                assertEquals(before, network.ip("addr show"));
                Bridge.start(options()).close();
                return null;
            });
        }
    }

    /** As after a crash of the machine, of which only the directory has stayed: a kernel has no policies then. */
    @Test
    void shouldHaveNoPoliciesWhenTheHostHasBootedSince() throws Exception {
        Path kept = Files.createDirectory(directory.resolve("kept"));
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                leavePolicyOfAnotherBoot(kept);
                Bridge again = Bridge.start(options("veth0", kept));
                assertTrue(ControlClient.ask(kept, "stat json").contains("\"policies_out\": 0"));
                again.close();
                return null;
            });
        }
    }

    /**
     * Else a bridge that is killed as soon as it has attached would leave them to the next one, as if they were its
     * own.
     */
    @Test
    void shouldRemovePoliciesBeforeItAttachesWhenTheHostHasBootedSince() throws Exception {
        Path kept = Files.createDirectory(directory.resolve("kept"));
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                leavePolicyOfAnotherBoot(kept);
                assertThrows(IOException.class, () -> Bridge.start(options("nothing0", kept)));
                return null;
            });
        }
        assertEquals(List.of(), List.of(kept.toFile().list()));
    }

    /** What a bridge with a policy leaves if it is killed, as if the host had booted since. */
    private void leavePolicyOfAnotherBoot(Path kept) throws Exception {
        Bridge bridge = Bridge.start(options());
        try (XfrmClient client = Clients.xfrmOfBridge(directory)) {
            client.addPolicy(PolicySpec.builder().build());
        }
        assertTrue(ControlClient.ask(directory, "stat json").contains("\"policies_out\": 1"));
        Files.copy(directory.resolve("policies"), kept.resolve("policies"));
        String journal = Files.readString(directory.resolve("attachment.journal"));
        Files.writeString(
                kept.resolve("attachment.journal"),
                journal.replaceAll("(?m)^boot=.*", "boot=9d8b2a4e-0000-4000-8000-000000000000"));
        bridge.close();
    }

    /** Sends back what comes, and returns its checksum. */
    private static long echo(ServerSocket listening) throws IOException {
        try (listening;
                Socket socket = listening.accept()) {
            CRC32 sum = new CRC32();
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            byte[] part = new byte[1 << 16];
            for (int bytes = in.read(part); bytes >= 0; bytes = in.read(part)) {
                sum.update(part, 0, bytes);
                out.write(part, 0, bytes);
            }
            return sum.getValue();
        }
    }

    /** Sends all and reads it back meanwhile; returns the checksum of what came back. */
    private static long exchange(String peer) throws Exception {
        try (Socket socket = new Socket(peer, PORT)) {
            Thread sender = Thread.ofPlatform().start(() -> {
                try {
                    socket.getOutputStream().write(content());
                    socket.shutdownOutput();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            CRC32 sum = new CRC32();
            sum.update(socket.getInputStream().readAllBytes());
            sender.join();
            return sum.getValue();
        }
    }

    private static byte[] content() {
        byte[] content = new byte[BYTES];
        new Random(5).nextBytes(content);
        return content;
    }

    private static long checksum() {
        CRC32 sum = new CRC32();
        sum.update(content());
        return sum.getValue();
    }
}
