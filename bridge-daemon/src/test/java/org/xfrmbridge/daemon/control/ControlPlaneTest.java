package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;

/** The text protocol of control.sock over a real socket, without an attachment. */
@Timeout(30)
class ControlPlaneTest {
    /** Longest that a unix socket's path may be: 107; temporary directories of JUnit fit. */
    @TempDir
    private Path directory;

    private ServedBridge bridge;

    @BeforeEach
    void start() throws IOException {
        bridge = new ServedBridge(directory);
    }

    @AfterEach
    void stop() {
        bridge.close();
        assertFalse(Files.exists(directory.resolve("netlink.sock")));
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(directory.resolve("control.sock")));
        return channel;
    }

    private static void say(SocketChannel channel, String text) throws IOException {
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void shouldAnswerStatisticsAndEnd() throws IOException {
        assertTrue(ControlClient.ask(directory, "stat").contains("XfrmInNoStates"));
        String json = ControlClient.ask(directory, "stat json");
        assertTrue(json.startsWith("{") && json.contains("\"states\": 0") && json.endsWith("}\n"), json);
        String proc = ControlClient.ask(directory, "proc xfrm_stat");
        assertTrue(proc.startsWith("XfrmInError             \t0\n"), proc);
        assertTrue(ControlClient.ask(directory, "proc pfkey").startsWith("sk "));
    }

    @Test
    void shouldRefuseWhatItDoesNotKnow() throws IOException {
        assertEquals("errno 22\n", ControlClient.ask(directory, "nonsense"));
        assertEquals("errno 2\n", ControlClient.ask(directory, "sysctl nonsense"));
    }

    @Test
    void shouldKeepASysctlThatWasSet() throws IOException {
        assertEquals("30\n", ControlClient.ask(directory, "sysctl xfrm_acq_expires"));
        try (SocketChannel channel = connect()) {
            say(channel, "set xfrm_acq_expires\n165");
        }
        try (SocketChannel channel = connect()) {
            say(channel, "set xfrm_aevent_etime\n20\n");
        }
        awaitSysctl("xfrm_acq_expires", "165\n");
        awaitSysctl("xfrm_aevent_etime", "20\n");
    }

    private void awaitSysctl(String name, String value) throws IOException {
        while (!ControlClient.ask(directory, "sysctl " + name).equals(value)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldTakeSocketPoliciesOfPfkeyThatAskForIpsec() throws IOException {
        try (SocketChannel channel = connect()) {
            BufferedReader answers = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
            String head = "ipsec 17 2 17 0.0.0.0 4500 ";
            // struct sadb_x_policy: IPsec, outbound; struct sadb_x_ipsecrequest: ESP in transport mode, required
            String policy = "0400120002000200" + "0000000000000000";
            String request = "1000320001020000" + "0000000000000000";
            String tooShort = "1100320001020000" + "0000000000000000";
            String noMode = "1000320000020000" + "0000000000000000";
            say(
                    channel,
                    "sockets\n" + head + policy + request + "\n" + head + policy + tooShort + "\n" + head + policy
                            + noMode + "\n" + head + policy + "\n");

            assertEquals(
                    List.of("ok", "errno 22", "errno 22", "errno 22"),
                    List.of(answers.readLine(), answers.readLine(), answers.readLine(), answers.readLine()));
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.protocol = IpProtocol.UDP;
            flow.sport = 4500;
            Policy held = bridge.sockets().lookup(Direction.OUT, flow);
            assertEquals(IpProtocol.ESP, held.spec().templates().getFirst().id().protocol());
        }
    }

    @Test
    void shouldHoldSocketRegistrationsAsLongAsTheConnectionLasts() throws IOException {
        try (SocketChannel channel = connect()) {
            BufferedReader answers = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
            byte[] policy = new byte[168];
            policy[160] = (byte) Direction.OUT.number();
            policy[40] = 2; // selector family
            say(
                    channel,
                    "sockets\nencap 17 2 17 0.0.0.0 4500 2\npolicy 17 2 17 0.0.0.0 4500 "
                            + HexFormat.of().formatHex(policy) + "\nmoved 17 2 17 192.0.2.1 4501\nnonsense 1\nclose\n");
            assertEquals("ok", answers.readLine());
            assertEquals("ok", answers.readLine());
            assertEquals("ok", answers.readLine());
            assertEquals("errno 22", answers.readLine());
            assertEquals("errno 22", answers.readLine());
            assertEquals(2, bridge.sockets().encapsulationType(2, 0xc000_0201L << 32, 0, 4501));
            assertEquals(0, bridge.sockets().encapsulationType(2, 0xc000_0201L << 32, 0, 4500));
            assertEquals(1, bridge.spd().socketCount(Direction.OUT));
        }
        while (bridge.sockets().encapsulationType(2, 0xc000_0201L << 32, 0, 4501) != 0) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldEndAConnectionWhoseLineHasNoEnd() throws IOException {
        try (SocketChannel channel = connect()) {
            say(channel, "x".repeat(20_000));
            assertEquals(-1, channel.read(ByteBuffer.allocate(10)));
        } catch (IOException e) {
            // Reset, since not all of it was read: an end as well.
            assertTrue(e.getMessage().contains("reset"), e.getMessage());
        }
        assertEquals("errno 22\n", ControlClient.ask(directory, "still there"));
    }
}
