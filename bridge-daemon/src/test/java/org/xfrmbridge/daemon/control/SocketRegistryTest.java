package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.host.SocketEntry;
import org.xfrmbridge.daemon.host.SocketTable;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;

/** Real sockets of this process, as the kernel tells of them; the time is the test's. */
class SocketRegistryTest {
    private static final Address LOOPBACK = Address.parse("127.0.0.1");
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int ESP_TEMPLATE_AT = 168;

    @TempDir
    private Path directory;

    private final Databases databases = new Databases();
    private final SocketPolicies sockets = databases.sockets();
    private final Spd spd = databases.spd();
    private final TestClock clock = new TestClock();
    private final XfrmEngine engine = XfrmEngine.builder(databases, clock).build();
    private SocketRegistry registry;
    private SocketRegistration client;

    private static final class TestClock implements Clock {
        private long nowNs;

        @Override
        public long nowNs() {
            return nowNs;
        }

        @Override
        public long epochSeconds() {
            return nowNs / 1_000_000_000L;
        }
    }

    @BeforeEach
    void start() throws IOException {
        registry = new SocketRegistry(sockets, new SocketJournal(directory), clock);
        registry.resume(registration());
        client = registration();
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private SocketRegistration registration() {
        return new SocketRegistration(engine, sockets, registry, null, Peer.SELF);
    }

    /** A second goes by. */
    private void look() {
        clock.nowNs += 1_000_000_000L;
        registry.look();
    }

    private static int port(InetSocketAddress address) {
        return address.getPort();
    }

    private static SocketEntry entry(int protocol, int port, boolean connected) throws IOException {
        try (SocketTable table = new SocketTable()) {
            for (int family : new int[] {AddressFamily.INET, AddressFamily.INET6}) {
                for (SocketEntry entry : table.atPort(family, protocol, port)) {
                    if (entry.isConnected() == connected) {
                        return entry;
                    }
                }
            }
        }
        throw new AssertionError("no socket at port " + port);
    }

    /** struct xfrm_userpolicy_info and a template that wants ESP. */
    private static String esp(Direction direction) {
        byte[] value = new byte[ESP_TEMPLATE_AT + 64];
        value[40] = AddressFamily.INET;
        value[160] = (byte) direction.number();
        value[ESP_TEMPLATE_AT + 20] = IpProtocol.ESP;
        value[ESP_TEMPLATE_AT + 24] = AddressFamily.INET;
        Arrays.fill(value, ESP_TEMPLATE_AT + 52, ESP_TEMPLATE_AT + 64, (byte) 0xff);
        return HexFormat.of().formatHex(value);
    }

    private void say(String line) {
        assertEquals("ok\n", client.line(line, true), line);
    }

    private void register(SocketEntry socket, int protocol, int type) {
        say("socket " + socket.inode() + " " + socket.cookie() + " " + type);
        say("policy " + head(socket, protocol) + " " + esp(Direction.OUT));
    }

    private static String head(SocketEntry socket, int protocol) {
        return socket.inode() + " " + (socket.family() == AddressFamily.INET ? "2" : "10+2") + " " + protocol + " "
                + socket.local().toText(socket.family()) + " " + socket.localPort();
    }

    private Policy sent(int protocol, int from, int to) {
        Flow flow = new Flow();
        flow.family = AddressFamily.INET;
        flow.protocol = protocol;
        flow.saddrHigh = LOOPBACK.high();
        flow.daddrHigh = LOOPBACK.high();
        flow.sport = from;
        flow.dport = to;
        return sockets.lookup(Direction.OUT, flow);
    }

    private static DatagramChannel udp() throws IOException {
        return DatagramChannel.open(StandardProtocolFamily.INET).bind(ANY_PORT);
    }

    private static ServerSocketChannel tcp() throws IOException {
        return ServerSocketChannel.open().bind(ANY_PORT);
    }

    /** A child, or who was handed the socket, may have it still. */
    @Test
    void shouldKeepAPolicyAsLongAsTheKernelHasTheSocket() throws IOException {
        int port;
        try (DatagramChannel socket = udp()) {
            port = port((InetSocketAddress) socket.getLocalAddress());
            SocketEntry entry = entry(IpProtocol.UDP, port, false);
            register(entry, IpProtocol.UDP, 2);
            say("close " + entry.inode());
            look();
            look();
            look();
            assertNotNull(sent(IpProtocol.UDP, port, 9));
        }
        while (sent(IpProtocol.UDP, port, 9) != null) {
            registry.readEnds();
        }
        assertEquals(0, spd.socketCount(Direction.OUT));
        assertEquals(Long.MAX_VALUE, nextLook());
    }

    private long nextLook() {
        look();
        return registry.nextLookNs();
    }

    /** Of the ends of sockets before that nobody tells. */
    @Test
    void shouldForgetASocketThatIsNotFoundTwice() throws IOException {
        DatagramChannel socket = udp();
        int port = port((InetSocketAddress) socket.getLocalAddress());
        register(entry(IpProtocol.UDP, port, false), IpProtocol.UDP, 2);
        socket.close();
        client.end();
        look();
        assertNotNull(sent(IpProtocol.UDP, port, 9), "packets may be on their way");
        look();
        assertNull(sent(IpProtocol.UDP, port, 9));
    }

    @Test
    void shouldProtectWhatIsSentBehindCloseAndNothingElse() throws IOException {
        try (ServerSocketChannel server = tcp()) {
            int there = port((InetSocketAddress) server.getLocalAddress());
            SocketChannel socket = SocketChannel.open(server.getLocalAddress());
            SocketChannel other = server.accept();
            int here = port((InetSocketAddress) socket.getLocalAddress());
            SocketEntry entry = entry(IpProtocol.TCP, here, true);
            register(entry, IpProtocol.TCP, 1);
            assertNotNull(sent(IpProtocol.TCP, here, there + 1));
            say("close " + entry.inode());
            // FIN_WAIT2, as the other end is still open.
            socket.close();
            look();
            look();
            look();
            assertNotNull(sent(IpProtocol.TCP, here, there));
            assertNull(
                    sent(IpProtocol.TCP, here, there + 1), "nobody can connect that socket to another peer any more");
            other.close();
            // TIME_WAIT
            look();
            registry.readEnds();
            look();
            assertNotNull(sent(IpProtocol.TCP, here, there));
        }
    }

    @Test
    void shouldLeaveWhatWasAcceptedItsPolicyWhenTheListeningSocketGoes() throws IOException {
        ServerSocketChannel server = tcp();
        int here = port((InetSocketAddress) server.getLocalAddress());
        SocketEntry entry = entry(IpProtocol.TCP, here, false);
        register(entry, IpProtocol.TCP, 1);
        try (SocketChannel peer = SocketChannel.open(server.getLocalAddress());
                SocketChannel accepted = server.accept()) {
            int there = port((InetSocketAddress) peer.getLocalAddress());
            assertTrue(accepted.isConnected());
            say("close " + entry.inode());
            server.close();
            registry.readEnds();
            look();
            look();
            look();
            assertNotNull(sent(IpProtocol.TCP, here, there));
            assertNull(sent(IpProtocol.TCP, here, there + 1));

            restart();
            assertNotNull(sent(IpProtocol.TCP, here, there), "after a restart");
            assertNull(sent(IpProtocol.TCP, here, there + 1));
        }
    }

    /** By a program that closed it where no library saw it, or was killed. */
    @Test
    void shouldLeaveWhatWasAcceptedItsPolicyWhenNobodySaysThatTheListeningSocketGoes() throws IOException {
        ServerSocketChannel server = tcp();
        int here = port((InetSocketAddress) server.getLocalAddress());
        register(entry(IpProtocol.TCP, here, false), IpProtocol.TCP, 1);
        try (SocketChannel peer = SocketChannel.open(server.getLocalAddress());
                SocketChannel accepted = server.accept()) {
            int there = port((InetSocketAddress) peer.getLocalAddress());
            assertTrue(accepted.isConnected());
            server.close();
            client.end();
            look();
            look();
            look();
            assertNotNull(sent(IpProtocol.TCP, here, there));
            assertNull(sent(IpProtocol.TCP, here, there + 1));
        }
    }

    /** An accepted socket that gets a policy of one direction keeps the other that it has inherited. */
    @Test
    void shouldLetWhatWasAcceptedChangeOnePolicyOnly() throws IOException {
        try (ServerSocketChannel server = tcp()) {
            int here = port((InetSocketAddress) server.getLocalAddress());
            register(entry(IpProtocol.TCP, here, false), IpProtocol.TCP, 1);
            try (SocketChannel peer = SocketChannel.open(server.getLocalAddress());
                    SocketChannel accepted = server.accept()) {
                assertTrue(accepted.isConnected());
                int there = port((InetSocketAddress) peer.getLocalAddress());
                SocketEntry child = entry(IpProtocol.TCP, here, true);
                say("socket " + child.inode() + " " + child.cookie() + " 1");
                say("policy " + head(child, IpProtocol.TCP) + " " + esp(Direction.IN));
                Policy inherited = sent(IpProtocol.TCP, here, there);
                assertNotNull(inherited);
                assertEquals(2, spd.socketCount(Direction.OUT));
                say("policy " + head(child, IpProtocol.TCP) + " -");
                assertNull(sent(IpProtocol.TCP, here, there));
                assertNotNull(sent(IpProtocol.TCP, here, there + 1), "the next one that is accepted");
            }
        }
    }

    @Test
    void shouldRefuseWhatCannotBeToldFromOthers() {
        say("socket 7 7 3");
        assertEquals("errno 95\n", client.line("policy 7 2 255 0.0.0.0 255 " + esp(Direction.OUT), true));
        say("policy 7 2 255 0.0.0.0 255 -");
    }

    private void restart() throws IOException {
        registry.close();
        sockets.closeAll(registry);
        assertEquals(0, spd.socketCount(Direction.OUT));
        start();
    }

    @Test
    void shouldKnowSocketsAgainAfterARestart() throws IOException {
        try (DatagramChannel socket = udp();
                DatagramChannel gone = udp()) {
            int port = port((InetSocketAddress) socket.getLocalAddress());
            SocketEntry entry = entry(IpProtocol.UDP, port, false);
            register(entry, IpProtocol.UDP, 2);
            say("policy " + head(entry, IpProtocol.UDP) + " " + esp(Direction.IN));
            say("encap " + head(entry, IpProtocol.UDP) + " 2");
            int port2 = port((InetSocketAddress) gone.getLocalAddress());
            SocketEntry other = entry(IpProtocol.UDP, port2, false);
            register(other, IpProtocol.UDP, 2);
            say("policy " + head(other, IpProtocol.UDP) + " -");
            restart();
            assertNotNull(sent(IpProtocol.UDP, port, 9));
            assertNull(sent(IpProtocol.UDP, port2, 9));
            assertEquals(1, spd.socketCount(Direction.IN));
            assertEquals(2, sockets.encapsulationType(AddressFamily.INET, LOOPBACK.high(), 0, port));
            look();
            look();
            assertNotNull(sent(IpProtocol.UDP, port, 9));
        }
    }

    @Test
    void shouldStartWhateverTheJournalHolds() throws IOException {
        String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"));
        for (String text : List.of(
                "",
                "nonsense\n",
                boot + "gone x\npolicy\nsocket 1 2\n\nsocket 1 2 3\npolicy 1 2 17 ::: 5 00\ncut sh")) {
            Files.writeString(directory.resolve("sockets"), text);
            restart();
            assertEquals(List.of(boot.strip()), Files.readAllLines(directory.resolve("sockets")));
        }
    }

    /** Killed meanwhile, it would have forgotten the rest. */
    @Test
    void shouldLeaveTheJournalAsItIsUntilAllIsTakenUp() throws IOException {
        Path file = directory.resolve("sockets");
        String text = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                + "socket 1 1 2 3\nipsec 1 2 17 0.0.0.0 5 00\nsocket 2 2 2 4\nipsec 2 2 17 0.0.0.0 6 00\n";
        Files.writeString(file, text);
        List<String> seen = new ArrayList<>();
        SocketRegistration.PfkeyPolicies looking = (option, family) -> {
            seen.add(assertDoesNotThrow(() -> Files.readString(file)));
            throw new XfrmException(Errno.EINVAL);
        };
        registry.close();
        registry = new SocketRegistry(sockets, new SocketJournal(directory), clock);
        registry.resume(new SocketRegistration(engine, sockets, registry, looking, Peer.SELF));
        assertEquals(List.of(text, text), seen);
    }

    @Test
    void shouldSayThatAPolicyWouldNotOutliveTheBridge() throws IOException {
        Path inTheWay = Files.createDirectories(directory.resolve("sockets.new/x"));
        restart();
        try (DatagramChannel socket = udp()) {
            int port = port((InetSocketAddress) socket.getLocalAddress());
            SocketEntry entry = entry(IpProtocol.UDP, port, false);
            String policy = "policy " + head(entry, IpProtocol.UDP) + " " + esp(Direction.OUT);
            say("socket " + entry.inode() + " " + entry.cookie() + " 2");
            assertEquals("errno 28\n", client.line(policy, true));
            assertNotNull(sent(IpProtocol.UDP, port, 9));
            Files.delete(inTheWay);
            say(policy);
            restart();
            assertNotNull(sent(IpProtocol.UDP, port, 9));
        }
    }
}
