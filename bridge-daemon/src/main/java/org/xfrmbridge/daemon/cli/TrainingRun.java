package org.xfrmbridge.daemon.cli;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.xfrmbridge.daemon.Bridge;
import org.xfrmbridge.daemon.BridgeOptions;
import org.xfrmbridge.daemon.HeapSizes;
import org.xfrmbridge.daemon.attach.AttachmentPlan;
import org.xfrmbridge.daemon.attach.DeviceNames;
import org.xfrmbridge.daemon.attach.StackPlan;
import org.xfrmbridge.daemon.attach.WirePlan;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.warmup.Warmup;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyState;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * What {@code train-cache} has a JVM do while it records of what a bridge consists and what its code meets: bridges of
 * both attachments on one of two hosts, requests by netlink and PF_KEY, and packets through tunnels. The hosts are
 * 192.0.2.1 and 192.0.2.2; behind them, for each tunnel, are 10.1.N.1 and 10.2.N.1, fd00:1::1 and fd00:2::1.
 *
 * <p>How far the compiler got with a method is part of the record. One that it knows from there, but never compiled for
 * speed, a later JVM leaves as it is for 50,000 calls: so streams go on until the compiler has nothing left to do,
 * however busy the machine is, and all that else would make it work comes behind them.
 *
 * <p>Arguments: {@code peer} or {@code trained}, and a directory. Exits with 1 if no packets came through.
 */
final class TrainingRun {
    /** Those of most daemons, IPv6 in IPv4, and one by PF_KEY: {@link #PFKEY}. */
    private static final int GCM = 0;

    private static final int CBC = 1;
    private static final int CHACHA20 = 2;
    private static final int PFKEY = 3;
    private static final int GCM_OF_IPV6 = 4;
    private static final int GCM_IN_UDP = 5;
    private static final int TUNNELS = 6;

    // SADB_X_EALG_AESCBC and SADB_AALG_SHA1HMAC
    private static final int AES_CBC = 12;
    private static final int HMAC_SHA1 = 3;

    private static final int DISCARD = 9;
    private static final int CHARGEN = 19;
    private static final int IPSEC_NAT_T = 4500;
    private static final int ECHOES = 10;
    private static final int DATAGRAMS = 10;
    private static final int FRAGMENTED_BYTES = 4000;
    private static final int ANSWER_MS = 2000;
    private static final Duration STREAM = Duration.ofMillis(500);
    private static final Duration SHORT_STREAM = Duration.ofMillis(100);
    /** Of compilers in a round of streams each way, when they have nothing left to do. */
    private static final int RESTING_MS = 25;

    private static final int LEAST_ROUNDS = 3;
    private static final int MOST_ROUNDS = 60;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    private final boolean trained;
    private final Path directory;

    private TrainingRun(boolean trained, Path directory) {
        this.trained = trained;
        this.directory = directory;
    }

    /** See above. */
    public static void main(String[] arguments) throws IOException {
        TrainingRun run = new TrainingRun(arguments[0].equals("trained"), Path.of(arguments[1]));
        if (run.trained) {
            run.beTrained();
        } else {
            run.bePeer();
        }
    }

    private void bePeer() throws IOException {
        for (int port : new int[] {DISCARD, CHARGEN}) {
            ServerSocket server = new ServerSocket(port);
            Thread.ofVirtual().start(() -> serve(server));
        }
        Bridge.start(options(inStack(), directory));
        openEncapsulation(directory);
        install(directory);
        System.out.println("ready");
    }

    private static void serve(ServerSocket server) {
        while (true) {
            try {
                Socket client = server.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private static void serve(Socket client) {
        try (client) {
            if (client.getLocalPort() == DISCARD) {
                client.getInputStream().transferTo(OutputStream.nullOutputStream());
            } else {
                write(client, Duration.ofHours(1));
            }
        } catch (IOException e) {
            // It has had enough.
        }
    }

    private void beTrained() throws IOException {
        Path wire = directory.resolve("wire");
        try (Bridge _ = Bridge.start(options(new WirePlan(DeviceNames.of("eth0", "xfrm0"), true), wire));
                SocketChannel _ = openEncapsulation(wire)) {
            install(wire);
            exchangeUntilCompiled(GCM);
            exchangeUntilCompiled(GCM_IN_UDP);
            flush(wire);
        }
        Path stack = directory.resolve("stack");
        new Thread(() -> train(stack), "training").start();
        Main.main(new String[] {"run", "--dir", stack.toString()});
    }

    /** A bridge that has been started by its command line. It is ended by the end of this process. */
    private void train(Path stack) {
        boolean came = false;
        try {
            awaitBridge(stack);
            openEncapsulation(stack);
            install(stack);
            came = exchangeUntilCompiled(GCM) && exchangeUntilCompiled(GCM_IN_UDP);
            for (int tunnel = CBC; tunnel < GCM_IN_UDP; tunnel++) {
                exchange(tunnel, SHORT_STREAM);
            }
            flush(stack);
            new Warmup(new SystemClock()).run();
        } catch (IOException e) {
            e.printStackTrace();
        }
        if (!came) {
            System.err.println("no packets came through the tunnel");
            Runtime.getRuntime().halt(1);
        }
        System.exit(0);
    }

    private static void awaitBridge(Path directory) throws IOException {
        long startNs = System.nanoTime();
        while (true) {
            try (XfrmClient xfrm = Clients.xfrmOfBridge(directory)) {
                xfrm.stateCount();
                return;
            } catch (IOException e) {
                if (System.nanoTime() - startNs > START_LIMIT.toNanos()) {
                    throw e;
                }
                Uninterruptibles.sleepUninterruptibly(Duration.ofMillis(50));
            }
        }
    }

    private static BridgeOptions options(AttachmentPlan plan, Path directory) {
        return new BridgeOptions(plan, directory, -1, HeapSizes.defaultFlows(plan.queues()));
    }

    private static AttachmentPlan inStack() {
        return new StackPlan(StackNames.DEFAULT, 0, false, true);
    }

    // Entries

    private void install(Path directory) throws IOException {
        try (XfrmClient xfrm = Clients.xfrmOfBridge(directory);
                PfkeyClient pfkey = Clients.pfkeyOfBridge(directory)) {
            for (int tunnel = 0; tunnel < TUNNELS; tunnel++) {
                for (int from = 1; from <= 2; from++) {
                    if (tunnel == PFKEY) {
                        pfkey.add(pfkeyState(from));
                    } else {
                        xfrm.addState(state(tunnel, from));
                    }
                }
                for (Direction direction : Direction.values()) {
                    xfrm.addPolicy(policy(tunnel, direction));
                }
            }
            xfrm.states().forEach(state -> {});
            xfrm.policies().forEach(policy -> {});
            pfkey.states(Satype.UNSPEC).forEach(state -> {});
        }
        ask(directory);
    }

    /** As xfrm-bridge-ask does. */
    private static void ask(Path directory) throws IOException {
        try (SocketChannel channel =
                SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("control.sock")))) {
            channel.write(StandardCharsets.UTF_8.encode("stat\n"));
            channel.read(ByteBuffer.allocate(1));
        }
    }

    /** As the library says it of a daemon's socket, until the connection ends. */
    private static SocketChannel openEncapsulation(Path directory) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("control.sock")));
        channel.write(StandardCharsets.UTF_8.encode("sockets\nencap 1 2 17 0.0.0.0 " + IPSEC_NAT_T + " 2\n"));
        channel.read(ByteBuffer.allocate(8));
        return channel;
    }

    private static void flush(Path directory) throws IOException {
        try (XfrmClient xfrm = Clients.xfrmOfBridge(directory)) {
            xfrm.flushPolicies(PolicySpec.Type.MAIN);
            xfrm.flushStates(IpProtocol.ANY);
        }
    }

    private static Address host(int number) {
        return Address.parse("192.0.2." + number);
    }

    private static int spi(int tunnel, int from) {
        return 0x1000 + 0x10 * tunnel + from;
    }

    private StateSpec state(int tunnel, int from) {
        StateSpecBuilder state = StateSpec.builder()
                .id(new StateId(host(3 - from), spi(tunnel, from), IpProtocol.ESP))
                .saddr(host(from))
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(1 + tunnel)
                // Two bridges send to the peer one after the other, and each begins to count.
                .replayWindow(trained ? 32 : 0);
        switch (tunnel) {
            case CBC ->
                state.cipher(new Algorithm("cbc(aes)", 128, 0, new byte[16]))
                        .auth(new Algorithm("hmac(sha256)", 256, 128, new byte[32]))
                        .authTruncated(true);
            case CHACHA20 -> state.aead(new Algorithm("rfc7539esp(chacha20,poly1305)", 288, 128, new byte[36]));
            case GCM_OF_IPV6 ->
                state.aead(new Algorithm("rfc4106(gcm(aes))", 288, 128, new byte[36]))
                        .flags(StateFlags.AF_UNSPEC | StateFlags.ESN)
                        .replayWindow(0)
                        .replay(new ReplayState(0, 0, 0, 0, 128, new int[4]));
            case GCM_IN_UDP ->
                state.aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                        .encapsulation(new Encapsulation(
                                Encapsulation.UDP_ENCAP_ESPINUDP, IPSEC_NAT_T, IPSEC_NAT_T, Address.parse("0.0.0.0")));
            default -> state.aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]));
        }
        return state.build();
    }

    private static PfkeyState pfkeyState(int from) {
        PfkeyState.Builder state = new PfkeyState.Builder();
        state.satype = Satype.ESP;
        state.sa = new SadbSa(spi(PFKEY, from), 32, SadbSa.MATURE, HMAC_SHA1, AES_CBC, 0);
        state.source = PfkeyClient.host(AddressFamily.INET, host(from));
        state.destination = PfkeyClient.host(AddressFamily.INET, host(3 - from));
        state.auth = new SadbKey(160, new byte[20]);
        state.encrypt = new SadbKey(128, new byte[16]);
        // IPSEC_MODE_TUNNEL
        state.sa2 = new SadbXSa2(2, 0, 1 + PFKEY);
        return state.build();
    }

    private PolicySpec policy(int tunnel, Direction direction) {
        int own = trained ? 1 : 2;
        int from = direction == Direction.OUT ? own : 3 - own;
        int family = tunnel == GCM_OF_IPV6 ? AddressFamily.INET6 : AddressFamily.INET;
        Selector selector = Selector.of(family)
                .saddr(Address.parse(inner(tunnel, from)), family == AddressFamily.INET ? 32 : 128)
                .daddr(Address.parse(inner(tunnel, 3 - from)), family == AddressFamily.INET ? 32 : 128)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .direction(direction)
                .priority(1000)
                .templates(List.of(Template.builder()
                        .id(new StateId(host(3 - from), 0, IpProtocol.ESP))
                        .family(AddressFamily.INET)
                        .saddr(host(from))
                        .reqid(1 + tunnel)
                        .mode(Mode.TUNNEL)
                        .build()))
                .build();
    }

    private static String inner(int tunnel, int host) {
        return tunnel == GCM_OF_IPV6 ? "fd00:" + host + "::1" : "10." + host + '.' + tunnel + ".1";
    }

    // Packets

    /** Whether anything came back. */
    private static boolean exchangeUntilCompiled(int tunnel) throws IOException {
        CompilationMXBean compilers = ManagementFactory.getCompilationMXBean();
        long beforeMs;
        int rounds = 0;
        do {
            beforeMs = compilers.getTotalCompilationTime();
            if (!exchange(tunnel, STREAM)) {
                return false;
            }
            rounds++;
        } while (rounds < LEAST_ROUNDS
                || rounds < MOST_ROUNDS && compilers.getTotalCompilationTime() - beforeMs > RESTING_MS);
        System.out.printf("tunnel %d: the compilers rest after %d rounds%n", tunnel, rounds);
        return true;
    }

    /** Pings, fragments, and a stream each way; whether anything came back. */
    private static boolean exchange(int tunnel, Duration stream) throws IOException {
        InetAddress peer = InetAddress.getByName(inner(tunnel, 2));
        boolean came = false;
        for (int i = 0; i < ECHOES; i++) {
            came |= peer.isReachable(ANSWER_MS);
            if (!came) {
                return false;
            }
        }
        try (DatagramSocket socket = new DatagramSocket()) {
            for (int i = 0; i < DATAGRAMS; i++) {
                socket.send(new DatagramPacket(new byte[FRAGMENTED_BYTES], FRAGMENTED_BYTES, peer, DISCARD));
            }
        }
        try (Socket discard = connect(peer, DISCARD)) {
            write(discard, stream);
        }
        try (Socket chargen = connect(peer, CHARGEN)) {
            read(chargen, stream);
        }
        return true;
    }

    private static Socket connect(InetAddress peer, int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(peer, port), ANSWER_MS);
        return socket;
    }

    private static void write(Socket socket, Duration duration) throws IOException {
        OutputStream out = socket.getOutputStream();
        byte[] bytes = new byte[1 << 16];
        for (long startNs = System.nanoTime(); System.nanoTime() - startNs < duration.toNanos(); ) {
            out.write(bytes);
        }
    }

    private static void read(Socket socket, Duration duration) throws IOException {
        InputStream in = socket.getInputStream();
        byte[] bytes = new byte[1 << 16];
        for (long startNs = System.nanoTime(); System.nanoTime() - startNs < duration.toNanos(); ) {
            if (in.read(bytes) < 0) {
                return;
            }
        }
    }
}
