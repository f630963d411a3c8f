package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.cli.Main;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** The program with a heap of 64 MB: neither root nor an ordinary user's packets end it. */
@Timeout(600)
class SmallHeapTest {
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final Address THERE = Address.parse("192.0.2.2");
    private static final int MANY = 1_000_000;
    private static final int SOME = 1000;
    private static final long FLOOD_NS = 6_000_000_000L;

    @TempDir
    private Path directory;

    private Process bridge;

    private void run(TestNetwork network) throws Exception {
        List<String> line = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        line.addAll(List.of(
                "-Xmx64m", "-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders", "--enable-native-access=ALL-UNNAMED"));
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "run"));
        line.addAll(List.of("--attach", "veth0", "--dir", directory.toString()));
        bridge = network.processHere(line)
                .redirectError(directory.resolve("log").toFile())
                .start();
        BufferedReader output = bridge.inputReader();
        assertEquals("ready", output.readLine(), this::log);
    }

    private String log() {
        try {
            return Files.readString(directory.resolve("log"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @AfterEach
    void end() throws Exception {
        if (bridge != null) {
            bridge.destroyForcibly();
            assertTrue(bridge.waitFor(10, TimeUnit.SECONDS));
        }
    }

    private static StateKey key(int spi) {
        return new StateKey(new StateId(THERE, spi, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null);
    }

    private static StateSpec state(int spi) {
        return StateSpec.builder()
                .id(key(spi).id())
                .saddr(HERE)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(spi)
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                .build();
    }

    private static PolicySpec policy(Selector selector, Mode mode) {
        Template template = Template.builder()
                .id(new StateId(mode == Mode.TUNNEL ? THERE : Address.ANY, 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(mode == Mode.TUNNEL ? HERE : Address.ANY)
                .reqid(1)
                .mode(mode)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .priority(100)
                .templates(List.of(template))
                .build();
    }

    private static Selector towards(int ipv4, int prefix) {
        return Selector.of(AddressFamily.INET)
                .saddr(HERE, 32)
                .daddr(new Address((long) ipv4 << 32, 0), prefix)
                .build();
    }

    private interface Adder {
        void add(int number) throws IOException;
    }

    /** Adds until that is refused, and returns how many there are then. */
    private int fill(Adder adder) {
        int[] count = {0};
        RefusedException refusal = assertThrows(
                RefusedException.class,
                () -> {
                    while (count[0] < MANY) {
                        adder.add(count[0] + 1);
                        count[0]++;
                    }
                },
                this::log);
        assertEquals(Errno.ENOMEM.number(), refusal.errno());
        return count[0];
    }

    @Test
    void shouldRefuseWhatDoesNotFitAndTakeMoreOnceSomeIsDeleted() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            run(network);
            try (XfrmClient client = Clients.xfrmOfBridge(directory)) {
                int states = fill(spi -> client.addState(state(spi)));
                System.out.println(states + " SAs fit into 64 MB");
                assertTrue(states > 10_000, states + " SAs");
                assertEquals(states, client.stateCount());
                assertFull(client);
                client.updateState(state(1));
                try (Stream<?> dump = client.states()) {
                    assertEquals(states, dump.count());
                }
                for (int round = 0; round < 3; round++) {
                    for (int spi = 1; spi <= SOME; spi++) {
                        client.deleteState(key(spi));
                    }
                    for (int spi = 1; spi <= SOME; spi++) {
                        client.addState(state(spi));
                    }
                    assertFull(client);
                }
                client.flushStates(0);
                int policies = fill(number -> client.addPolicy(policy(towards(0x0a00_0000 + number, 32), Mode.TUNNEL)));
                System.out.println(policies + " policies fit into 64 MB");
                assertTrue(policies > 10_000, policies + " policies");
                client.flushPolicies(PolicySpec.Type.MAIN);
                for (int spi = 1; spi <= SOME; spi++) {
                    client.addState(state(spi));
                }
            }
            assertTrue(network.ping("192.0.2.2"));
            assertTrue(bridge.isAlive(), this::log);
        }
    }

    private static void assertFull(XfrmClient client) {
        RefusedException refusal = assertThrows(RefusedException.class, () -> client.addState(state(MANY)));
        assertEquals(Errno.ENOMEM.number(), refusal.errno());
    }

    @Test
    void shouldAnswerWhileAnOrdinaryUserSendsToAllTheWorldUnderATrap() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("route add 10.0.0.0/8 via 192.0.2.2");
            run(network);
            try (XfrmClient client = Clients.xfrmOfBridge(directory);
                    XfrmEvents daemon = client.events(XfrmMessage.GROUP_ACQUIRE)) {
                client.addPolicy(policy(towards(0x0a00_0000, 8), Mode.TRANSPORT));
                List<Process> floods = List.of(flood(network, 1));
                long startNs = System.nanoTime();
                int spi = 0;
                long slowestNs = 0;
                while (System.nanoTime() - startNs < FLOOD_NS) {
                    long beforeNs = System.nanoTime();
                    client.addState(state(++spi));
                    client.deleteState(key(spi));
                    slowestNs = Math.max(slowestNs, System.nanoTime() - beforeNs);
                    assertTrue(client.stateCount() <= 4096, "larval SAs without end");
                    Thread.sleep(1);
                }
                for (Process flood : floods) {
                    assertTrue(flood.isAlive(), "the flood ended");
                    flood.descendants().forEach(ProcessHandle::destroyForcibly);
                    flood.destroyForcibly();
                }
                String stat = ControlClient.ask(directory, "proc xfrm_stat");
                System.out.println(
                        spi + " requests of root's, the slowest took " + slowestNs / 1_000_000 + " ms\n" + stat);
                assertTrue(stat.matches("(?s).*XfrmOutPolError\\s+[1-9]\\d{3}.*"), stat);
                assertEquals(
                        "acquire", daemon.next(1000).getClass().getSimpleName().toLowerCase(), this::log);
            }
        }
    }

    /** Sends to as many hosts of a sixteenth of 10.0.0.0/8 as it can, for two minutes if nobody ends it. */
    private static Process flood(TestNetwork network, int part) throws IOException {
        String script = "for ((i = 0; SECONDS < 120; i++)); do "
                + "echo > /dev/udp/10.$((%d * 16 + (i >> 16 & 15))).$((i >> 8 & 255)).$((i & 255))/9; done";
        List<String> line = List.of(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script.formatted(part));
        return network.processHere(line)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
