package org.xfrmbridge.daemon.port;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.AssertionFailedError;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Ethernet;

/** The host's end is a kernel's: neighbours of it have the addresses that rules would write. */
@Timeout(60)
class StackTapPortTest {
    private static final int MARK_BIT = 0x4000_0000;
    private static final long TAP_MAC = 0x0249_0700_0000L;
    private static final int MAX_MTU_BYTES = 65_521;

    private final PacketPool pool = new PacketPool(8);
    private final PacketBatch batch = new PacketBatch(8);

    @BeforeEach
    void assumeOrder() {
        Assumptions.assumeTrue(
                ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN, "the addresses are those of a little-endian host");
    }

    private interface Work {
        void run(TestNetwork network, StackTapPort port) throws Exception;
    }

    private static void withPort(Work work) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere((Callable<Void>) () -> {
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES)) {
                    network.ip("link set xbtap0 address 02:49:07:00:00:00 arp off mtu " + MAX_MTU_BYTES + " up");
                    network.ip("addr add 198.51.100.1/24 dev xbtap0");
                    work.run(network, new StackTapPort(device, 0, TAP_MAC, MARK_BIT, 0));
                }
                return null;
            });
        }
    }

    /** Of what the host sends, the ping. */
    private PacketBuffer received(StackTapPort port) {
        port.receive(pool, batch);
        for (int i = 0; i < batch.size(); i++) {
            PacketBuffer frame = batch.get(i);
            if (frame.data[frame.offset + Ethernet.TYPE] == 0x08 && frame.data[frame.offset + 23] == 1) {
                return frame;
            }
        }
        throw new AssertionFailedError("no ping among " + batch.size() + " frames");
    }

    @Test
    void shouldTellMarkAndInterface() throws Exception {
        withPort((network, port) -> {
            network.ip("link set xbtap0 address 02:49:08:00:00:00");
            network.ip("neigh add 198.51.100.2 lladdr 02:58:78:56:34:52 dev xbtap0");
            network.ping("198.51.100.2");
            PacketBuffer frame = received(port);
            assertEquals(0x1234_5678, frame.mark, "without the bridge's bit");
            assertEquals(8, frame.ifindex);
        });
    }

    /** One in 16,384 devices has such an address. */
    @Test
    void shouldTakeItsOwnAddressForNone() throws Exception {
        withPort((network, port) -> {
            network.ip("neigh add 198.51.100.2 lladdr 02:58:78:56:34:12 dev xbtap0");
            network.ping("198.51.100.2");
            assertEquals(0, received(port).ifindex);
        });
    }

    @Test
    void shouldTakeOtherAddressesForNone() throws Exception {
        withPort((network, port) -> {
            network.ip("link set xbtap0 address 02:00:07:00:00:00");
            network.ip("neigh add 198.51.100.2 lladdr 02:00:78:56:34:12 dev xbtap0");
            network.ping("198.51.100.2");
            PacketBuffer frame = received(port);
            assertEquals(0, frame.mark);
            assertEquals(0, frame.ifindex);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "0,       024907000000 0258 78563412 88b5",
        "0x10007, 0600000000ff 0007 78563412 88b5",
        "8,       024f08000000 0258 78563412 88b5"
    })
    void shouldTellTheHostMarkAndDevice(String ifindex, String expectedLink) throws Exception {
        withPort((network, port) -> {
            port.setVrfs(Map.of(0x10007, 0x0600_0000_00ffL));
            try (PacketSocket host = new PacketSocket("xbtap0")) {
                PacketBuffer frame = new PacketBuffer();
                frame.length = 60;
                // A type that nobody uses (IEEE 802, local experimental).
                frame.data[frame.offset + 12] = (byte) 0x88;
                frame.data[frame.offset + 13] = (byte) 0xb5;
                frame.mark = 0x5234_5678;
                frame.ifindex = Integer.decode(ifindex);
                batch.add(frame);
                port.send(batch);
                byte[] seen;
                do {
                    seen = host.poll();
                } while (seen != null && seen[12] != (byte) 0x88);
                byte[] expected = HexFormat.of().parseHex(expectedLink.replace(" ", ""));
                assertArrayEquals(expected, Arrays.copyOf(seen, expected.length));
            }
        });
    }

    /** What was opened, and did not find the device that it was to come in by. */
    @Test
    void shouldTakeBackNothingThatIsToComeInByADevice() throws Exception {
        withPort((network, port) -> {
            network.ip("neigh add 198.51.100.2 lladdr 02:4f:08:00:00:00 dev xbtap0");
            network.ping("198.51.100.2");
            assertEquals(0, received(port).length);
        });
    }

    /** More the device does not take. */
    @Test
    void shouldCarryThePacketsOfTheLargestMtu() throws Exception {
        withPort((network, port) -> {
            network.ip("neigh add 198.51.100.2 lladdr 02:58:00:00:00:00 dev xbtap0");
            assertThrows(AssertionError.class, () -> network.ip("link set xbtap0 mtu " + (MAX_MTU_BYTES + 1)));
            network.ping("198.51.100.2", MAX_MTU_BYTES - 28);
            PacketBuffer frame = received(port);
            assertEquals(Ethernet.HEADER_BYTES + MAX_MTU_BYTES, frame.length);
            assertTrue(frame.data.length > MAX_MTU_BYTES);
        });
    }
}
