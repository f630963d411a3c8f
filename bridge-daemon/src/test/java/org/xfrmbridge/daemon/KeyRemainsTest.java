package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.cli.Main;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.esp.KeySearch;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyState;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What the program still holds of keys when their SAs were deleted: nothing in all objects of its heap, reachable or
 * not, nor in any other memory of its own. Keys come by all ways there are, and root has them shown and told.
 */
@Timeout(120)
class KeyRemainsTest {
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final Address THERE = Address.parse("192.0.2.2");
    private static final int GCM_BYTES = 20;

    // SADB_X_EALG_AESCBC and SADB_X_AALG_SHA2_256HMAC
    private static final int AES_CBC = 12;
    private static final int HMAC_SHA2_256 = 5;

    @TempDir
    private Path directory;

    private final List<String> names = new ArrayList<>();
    private Process bridge;

    private void run(TestNetwork network) throws Exception {
        List<String> line = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        line.addAll(List.of(
                "-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders", "-Xmn64m", "--enable-native-access=ALL-UNNAMED"));
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "run"));
        line.addAll(List.of("--attach", "veth0", "--dir", directory.toString()));
        bridge = network.processHere(line)
                .redirectError(directory.resolve("log").toFile())
                .start();
        BufferedReader output = bridge.inputReader();
        assertEquals("ready", output.readLine());
    }

    @AfterEach
    void end() throws Exception {
        if (bridge != null) {
            bridge.destroyForcibly();
            assertTrue(bridge.waitFor(10, TimeUnit.SECONDS));
        }
    }

    /** Another key for each name. */
    private byte[] key(String name, int bytes) {
        names.add(name);
        return KeySearch.key(names.size(), bytes);
    }

    private static StateKey name(int spi) {
        return new StateKey(new StateId(THERE, spi, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null);
    }

    private static StateSpec state(int spi, Algorithm aead) {
        return StateSpec.builder()
                .id(name(spi).id())
                .saddr(HERE)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .aead(aead)
                .build();
    }

    private Algorithm gcm(String name) {
        return new Algorithm("rfc4106(gcm(aes))", GCM_BYTES * 8, 128, key(name, GCM_BYTES));
    }

    private void useNetlink() throws IOException {
        try (XfrmClient client = Clients.xfrmOfBridge(directory);
                XfrmEvents events = client.events(XfrmMessage.GROUP_SA)) {
            client.addState(state(1, gcm("shown")));
            client.addState(state(2, gcm("updated")));
            client.updateState(state(2, gcm("of an update")));
            assertThrows(RefusedException.class, () -> client.addState(state(1, gcm("of one that is there"))));
            Algorithm unknown =
                    new Algorithm("rfc4106(gcm(none))", GCM_BYTES * 8, 128, key("of an unknown algorithm", GCM_BYTES));
            assertThrows(RefusedException.class, () -> client.addState(state(3, unknown)));
            Algorithm odd = new Algorithm("rfc4106(gcm(aes))", 17 * 8, 128, key("of a wrong length", 17));
            assertThrows(RefusedException.class, () -> client.addState(state(3, odd)));
            client.state(name(1));
            for (int i = 0; i < 3; i++) {
                try (Stream<?> dump = client.states()) {
                    assertEquals(2, dump.count());
                }
            }
            client.deleteState(name(1));
            client.deleteState(name(2));
            assertTrue(events.next(1000) != null);
        }
    }

    private void usePfkey() throws IOException {
        try (PfkeyClient pfkey = Clients.pfkeyOfBridge(directory)) {
            PfkeyState.Builder sa = new PfkeyState.Builder();
            sa.satype = Satype.ESP;
            sa.sa = new SadbSa(0x1000, 32, SadbSa.MATURE, HMAC_SHA2_256, AES_CBC, 0);
            sa.source = PfkeyClient.host(AddressFamily.INET, HERE);
            sa.destination = PfkeyClient.host(AddressFamily.INET, THERE);
            sa.auth = new SadbKey(256, key("PF_KEY, HMAC", 32));
            sa.encrypt = new SadbKey(128, key("PF_KEY, AES", 16));
            pfkey.add(sa.build());
            sa.auth = new SadbKey(256, key("PF_KEY, of one that is there", 32));
            assertThrows(RefusedException.class, () -> pfkey.add(sa.build()));
            try (Stream<PfkeyState> all = pfkey.states(Satype.UNSPEC)) {
                assertEquals(1, all.count());
            }
            pfkey.get(PfkeyState.named(Satype.ESP, 0x1000, sa.source, sa.destination));
            pfkey.delete(PfkeyState.named(Satype.ESP, 0x1000, sa.source, sa.destination));
        }
    }

    private void useIp(TestNetwork network) throws Exception {
        Path batch = directory.resolve("batch");
        StringBuilder lines = new StringBuilder();
        for (int i = 1; i <= 20; i++) {
            String hex = HexFormat.of().formatHex(key("ip, " + i, GCM_BYTES));
            lines.append("xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi %d aead rfc4106(gcm(aes)) 0x%s 128%n"
                    .formatted(i, hex));
        }
        Files.writeString(batch, lines);
        String exec = "sh src/main/sh/exec.sh --dir " + directory + " -- ip ";
        network.exec(exec + "-batch " + batch);
        Files.delete(batch);
        assertTrue(network.exec(exec + "xfrm state list")
                .contains(HexFormat.of().formatHex(KeySearch.key(names.size(), GCM_BYTES))));
        network.exec(exec + "xfrm state flush");
    }

    private KeySearch search() {
        KeySearch search = new KeySearch();
        for (int i = 0; i < names.size(); i++) {
            search.add(names.get(i), KeySearch.key(i + 1, 16));
        }
        return search;
    }

    private String jcmd(String... command) throws Exception {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), Long.toString(bridge.pid())));
        line.addAll(List.of(command));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    /** Reachable objects and others alike. */
    private TreeSet<String> inHeap() throws Exception {
        Path dump = directory.resolve("heap.hprof");
        jcmd("GC.heap_dump", "-all", dump.toString());
        TreeSet<String> found = search().in(dump);
        Files.delete(dump);
        return found;
    }

    /** All that is mapped and written, but the Java heap. */
    private TreeSet<String> outsideOfHeap() throws Exception {
        List<Long> heap = Pattern.compile("0x([0-9a-f]{8,16})")
                .matcher(jcmd("GC.heap_info"))
                .results()
                .map(match -> Long.parseUnsignedLong(match.group(1), 16))
                .sorted()
                .toList();
        IOException torn = null;
        for (int turn = 0; turn < 10; turn++) {
            try {
                return outside(heap.getFirst(), heap.getLast());
            } catch (IOException unmappedMeanwhile) {
                torn = unmappedMeanwhile;
            }
        }
        throw torn;
    }

    private TreeSet<String> outside(long heapStart, long heapEnd) throws IOException {
        TreeSet<String> found = new TreeSet<>();
        int searched = 0;
        try (RandomAccessFile memory = new RandomAccessFile("/proc/" + bridge.pid() + "/mem", "r")) {
            for (String line : Files.readAllLines(Path.of("/proc/" + bridge.pid() + "/maps"))) {
                Matcher range = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) rw.*").matcher(line);
                if (!range.matches()) {
                    continue;
                }
                long start = Long.parseUnsignedLong(range.group(1), 16);
                long end = Long.parseUnsignedLong(range.group(2), 16);
                boolean ofHeap = start < heapEnd && end > heapStart;
                if (!ofHeap && start >= 0) {
                    memory.seek(start);
                    found.addAll(search().in(upTo(end - start, Channels.newInputStream(memory.getChannel()))));
                    searched++;
                }
            }
        }
        assertTrue(searched > 20, "only " + searched + " parts of memory were searched");
        return found;
    }

    private static InputStream upTo(long bytes, InputStream memory) {
        return new FilterInputStream(memory) {
            private long left = bytes;

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                int read = left == 0 ? -1 : super.read(into, offset, (int) Math.min(left, length));
                left -= Math.max(0, read);
                return read;
            }
        };
    }

    @Test
    void shouldHoldNoKeyOnceItsStateIsDeleted() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            run(network);
            try (XfrmClient client = Clients.xfrmOfBridge(directory)) {
                client.addState(state(9, gcm("of one that is alive")));
                assertEquals(new TreeSet<>(List.of("of one that is alive")), inHeap());
                client.deleteState(name(9));
            }
            useNetlink();
            usePfkey();
            useIp(network);
            try (XfrmClient client = Clients.xfrmOfBridge(directory)) {
                assertEquals(0, client.stateCount());
            }

            assertEquals(new TreeSet<>(), inHeap());
            assertEquals(new TreeSet<>(), outsideOfHeap());
        }
    }
}
