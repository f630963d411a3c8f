package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.port.StackTapPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.time.Clock;

/** The host's neighbours are judged by the text of {@code ip}. */
@Timeout(60)
class StackHostPortTest {
    private static final int NEIGHBOURS = 150;
    /** Ethernet; IPv6 with hop limit 255; an advertisement whose target is 2001:db8::1000 so far; its link address. */
    private static final byte[] ADVERTISEMENT = HexFormat.of()
            .parseHex("000000000000" + "000000000000" + "86dd" + "60000000" + "00203aff" + "20010db8".repeat(8)
                    + "88000000" + "60000000" + "20010db8000000000000000000001000" + "0201" + "020000000099");

    private static final int TARGET_END = 14 + 40 + 8 + 14;

    @TempDir
    private Path directory;

    private long nowNs = 1;

    private final Clock clock = new Clock() {
        @Override
        public long nowNs() {
            return nowNs;
        }

        @Override
        public long epochSeconds() {
            return 0;
        }
    };

    private static void send(StackHostPort port, int first) {
        PacketBatch batch = new PacketBatch(NEIGHBOURS);
        for (int i = first; i < NEIGHBOURS; i++) {
            PacketBuffer frame = new PacketBuffer();
            frame.length = ADVERTISEMENT.length;
            ByteBuffer.wrap(frame.data).put(frame.offset, ADVERTISEMENT).putShort(frame.offset + TARGET_END, (short)
                    (0x1000 + i));
            batch.add(frame);
        }
        port.send(batch);
    }

    private static long confirmed(TestNetwork network) throws Exception {
        return network.ip("-6 neigh show dev veth0")
                .lines()
                .filter(line -> line.contains("02:00:00:00:00:99"))
                .count();
    }

    @Test
    void shouldTellTheHostOfNeighboursButNotAsManyAsAPeerLikes() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            Path entries = Files.writeString(
                    directory.resolve("neighbours"),
                    IntStream.range(0, NEIGHBOURS)
                            .mapToObj(i -> "neigh add 2001:db8::%x lladdr 02:00:00:00:00:01 dev veth0 nud stale%n"
                                    .formatted(0x1000 + i))
                            .collect(Collectors.joining()));
            network.ip("-batch " + entries);
            network.inHere((Callable<Void>) () -> {
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES)) {
                    network.ip("link set xbtap0 up");
                    StackHostPort port = new StackHostPort(List.of(new StackTapPort(device, 0, 0, 1, 0)), clock);
                    send(port, 0);
                    assertEquals(100, confirmed(network));
                    send(port, 100);
                    assertEquals(100, confirmed(network));
                    nowNs += TimeUnit.SECONDS.toNanos(1);
                    send(port, 100);
                    assertEquals(150, confirmed(network));
                    port.release();
                }
                return null;
            });
        }
    }
}
