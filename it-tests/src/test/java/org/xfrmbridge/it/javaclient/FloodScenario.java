package org.xfrmbridge.it.javaclient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.netlink.client.NetlinkConnection;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyEvents;
import org.xfrmbridge.pfkey.client.PfkeyState;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * A listener that does not read must cost nobody else anything: no memory without end, no time. One host with a bridge
 * and an unmodified {@code ip xfrm monitor}, through the preload library, that is stopped (SIGSTOP) while events rain;
 * beside it a PF_KEY listener that never reads. Steps: the same flood with ip reading and with ip stopped, another
 * client asking all the time; how fast it is answered is printed, to be judged on a quiet machine. Expected: memory
 * flat, and when ip goes on it prints what its buffer held, is told of the loss once (ENOBUFS), and hears what comes
 * next. What the buffer holds is compared with this machine's kernel. {@code -Dit.flood=1000000} makes more events than
 * the usual 100,000.
 */
@Tag("alone")
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class FloodScenario {
    private static final int EVENTS = Integer.getInteger("it.flood", 100_000);
    private static final long FLAT_BYTES = 4 << 20;
    private static final Duration QUIET = Duration.ofSeconds(1);
    /**
     * A kernel charges a message in a unix socket up to half as much again as the same in a netlink socket: below 320
     * bytes 1280 for 840 (Linux 6.18).
     */
    private static final double LEAST_SHARE = 0.6;

    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void shouldDelayNobodyWhenAListenerDoesNotRead() throws Exception {
        try (Scene scene = new Scene("flood")) {
            BridgeProcess bridge = bridge(scene);
            StateSpec state = state();
            try (XfrmClient client = Clients.xfrmOfBridge(bridge.directory());
                    NetlinkConnection connection = Clients.netlinkOfBridge(bridge.directory());
                    PfkeyClient pfkey = Clients.pfkeyOfBridge(bridge.directory());
                    PfkeyEvents unread = pfkey.events(Satype.ESP)) {
                unread.setReceiveBuffer(1 << 20);
                client.addState(state);
                Flood flood = Flood.ofStateExpiries(connection, state);
                Monitor monitor = scene.own(
                        new Monitor(scene.file("monitor.log"), bridge.command("ip", "xfrm", "monitor", "expire")));
                awaitListening(bridge, monitor);
                measure(bridge, flood, EVENTS / 5);
                Latency quiet = Latency.during(bridge.directory(), () -> {
                    Await.pause(QUIET);
                    return null;
                });
                Latency before = measure(bridge, flood, EVENTS);
                long liveBefore = liveBytes(bridge);
                long residentBefore = residentBytes(bridge);
                long heard = settled(monitor);
                monitor.stop();
                Latency stopped = measure(bridge, flood, EVENTS);
                long residentAfter = residentBytes(bridge);
                long grownBytes = liveBytes(bridge) - liveBefore;
                report(quiet, before, stopped);
                System.out.printf(
                        "what the bridge holds, %d MB, grew by %d KB; its process from %d to %d MB%n",
                        liveBefore >> 20, grownBytes >> 10, residentBefore >> 20, residentAfter >> 20);
                assertTrue(liveBefore > 0, "the heap could not be measured");

                assertTrue(grownBytes < FLAT_BYTES, "the bridge grew by " + grownBytes + " bytes");
                assertGoesOn(client, state, monitor, heard);
                assertListsStates(pfkey);
            }
        }
    }

    private static BridgeProcess bridge(Scene scene) {
        Namespace host = new Namespace(scene, "host");
        Namespace.connect(host, Gateway.DEVICE, new Namespace(scene, "wire"), "left");
        return BridgeProcess.start(scene, host, Attachment.WIRE);
    }

    private static StateSpec state() {
        return StateSpec.builder()
                .id(new StateId(Address.parse("192.0.2.2"), 0x1000, IpProtocol.ESP))
                .saddr(Address.parse("192.0.2.1"))
                .family(AddressFamily.INET)
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                .build();
    }

    private static void awaitListening(BridgeProcess bridge, Monitor monitor) {
        String line = "ip (pid " + monitor.pid() + ") netlink listens";
        Await.until("ip to listen", LIMIT, () -> bridge.log().contains(line));
    }

    private static Latency measure(BridgeProcess bridge, Flood flood, int events) throws Exception {
        return Latency.during(bridge.directory(), () -> {
            flood.send(events);
            return null;
        });
    }

    private static void report(Latency quiet, Latency reading, Latency stopped) {
        System.out.printf("no events:                        %s%n", quiet);
        System.out.printf("%d events, the listener reads:   %s%n", EVENTS, reading);
        System.out.printf("%d events, the listener is away: %s%n", EVENTS, stopped);
        System.out.printf(
                "away to reading: medians %.2f, 99 %% %.2f; away to no events: medians %.2f, 99 %% %.2f%n",
                stopped.quantile(0.5) / reading.quantile(0.5),
                stopped.quantile(0.99) / reading.quantile(0.99),
                stopped.quantile(0.5) / quiet.quantile(0.5),
                stopped.quantile(0.99) / quiet.quantile(0.99));
    }

    private static long residentBytes(BridgeProcess bridge) throws IOException {
        String status = Files.readString(Path.of("/proc", Long.toString(bridge.pid()), "status"));
        return Long.parseLong(status.replaceAll("(?s).*\nVmRSS:\\s+(\\d+) kB.*", "$1")) << 10;
    }

    /** What is reachable, counted in one pause: what is allocated after a collection is not among it. */
    private static long liveBytes(BridgeProcess bridge) {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        String histogram = Command.of(jcmd, Long.toString(bridge.pid()), "GC.class_histogram")
                .run();
        return Long.parseLong(histogram.replaceAll("(?s).*\nTotal\\s+\\d+\\s+(\\d+)\\s*", "$1"));
    }

    /** What ip has printed once it has read everything: losses while it read too slowly included. */
    private static long settled(Monitor monitor) {
        long[] seen = {-1};
        Await.until("ip to read all", LIMIT, () -> {
            long now = monitor.events();
            boolean same = now == seen[0];
            seen[0] = now;
            return same;
        });
        return seen[0];
    }

    private static void assertGoesOn(XfrmClient client, StateSpec state, Monitor monitor, long heard)
            throws IOException {
        long losses = monitor.losses();
        monitor.goOn();
        Await.until("ip to be told of the loss", LIMIT, () -> monitor.losses() > losses);
        long kept = settled(monitor) - heard;
        assertTrue(kept > 10 && kept < EVENTS / 10, kept + " events were kept");
        assertEquals(losses + 1, monitor.losses());
        client.expireState(state, false);
        monitor.awaitEvents(heard + kept + 1);
        assertEquals(losses + 1, monitor.losses());
    }

    private static void assertListsStates(PfkeyClient pfkey) throws IOException {
        try (Stream<PfkeyState> states = pfkey.states(Satype.ESP)) {
            assertEquals(1, states.count());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {32_768, 1 << 20})
    @Requires(Requirement.XFRM_USER)
    void shouldKeepAsManyEventsAsAKernelWhenTheReaderIsAway(int bufferBytes) throws Exception {
        try (Scene scene = new Scene("flood-kept-" + bufferBytes)) {
            Namespace kernel = new Namespace(scene, "kernel");
            String[] command = {"ip", "-rcvbuf", Integer.toString(bufferBytes), "xfrm", "monitor", "expire"};
            Monitor theirs = scene.own(new Monitor(scene.file("kernel.log"), kernel.command(command)));
            long expected = InNamespace.call(kernel, () -> {
                Await.until(
                        "ip to listen",
                        LIMIT,
                        () -> Command.text(Path.of("/proc/thread-self/net/netlink"))
                                .lines()
                                .anyMatch(line -> line.matches("\\S+\\s+6\\s+" + theirs.pid() + "\\s+00000002.*")));
                return kept(Clients.xfrmOfKernel(), Clients.netlinkOfKernel(), theirs);
            });
            BridgeProcess bridge = bridge(scene);
            Monitor ours = scene.own(new Monitor(scene.file("bridge.log"), bridge.command(command)));
            awaitListening(bridge, ours);
            long actual =
                    kept(Clients.xfrmOfBridge(bridge.directory()), Clients.netlinkOfBridge(bridge.directory()), ours);

            System.out.printf(
                    "with a buffer of %d bytes a kernel keeps %d events, the bridge %d%n",
                    bufferBytes, expected, actual);
            assertTrue(
                    actual >= LEAST_SHARE * expected && actual <= expected * 1.1, actual + " instead of " + expected);
        }
    }

    private static long kept(XfrmClient opened, NetlinkConnection socket, Monitor monitor) throws IOException {
        try (XfrmClient client = opened;
                NetlinkConnection connection = socket) {
            PolicySpec policy = PolicySpec.builder().build();
            client.addPolicy(policy);
            monitor.stop();
            Flood.ofPolicyExpiries(connection, policy).send(5000);
            monitor.goOn();
            monitor.awaitLoss();
            return settled(monitor);
        }
    }
}
