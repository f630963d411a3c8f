package org.xfrmbridge.daemon.port;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;

/** A frame whose buffer is broken costs no other that is read or written with it. */
@Timeout(60)
class TapPortTest {
    private static final int FRAME_BYTES = 60;

    private final PacketPool pool = new PacketPool(8);

    private static PacketBuffer frame(int number) {
        PacketBuffer frame = new PacketBuffer();
        frame.length = FRAME_BYTES;
        // A type that nobody uses (IEEE 802, local experimental).
        frame.data[frame.offset + 12] = (byte) 0x88;
        frame.data[frame.offset + 13] = (byte) 0xb5;
        frame.data[frame.offset + 14] = (byte) number;
        return frame;
    }

    @ParameterizedTest
    @EnumSource(TapDevice.Offload.class)
    void shouldSendTheOthersOfABatch(TapDevice.Offload offload) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (TapDevice device = TapDevice.open("xbtap0", offload)) {
                    network.ip("link set xbtap0 up");
                    try (PacketSocket host = new PacketSocket("xbtap0")) {
                        PacketBatch batch = new PacketBatch(4);
                        for (int i = 0; i < 4; i++) {
                            batch.add(frame(i));
                        }
                        batch.get(1).data = new byte[20];
                        assertThrows(IndexOutOfBoundsException.class, () -> new TapPort(device).send(batch));
                        assertEquals(List.of(0, 2, 3), received(host));
                    }
                }
                return null;
            });
        }
    }

    /** The numbers of our frames; the host's own are of other types. */
    private static List<Integer> received(PacketSocket socket) throws Exception {
        List<Integer> numbers = new ArrayList<>();
        for (byte[] frame = socket.poll(); frame != null; frame = socket.poll()) {
            if (frame.length == FRAME_BYTES && frame[12] == (byte) 0x88 && frame[13] == (byte) 0xb5) {
                numbers.add((int) frame[14]);
            }
        }
        return numbers;
    }

    @ParameterizedTest
    @EnumSource(TapDevice.Offload.class)
    void shouldReadTheNextFrameAfterAFault(TapDevice.Offload offload) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (TapDevice device = TapDevice.open("xbtap0", offload)) {
                    network.ip("link set xbtap0 up");
                    network.ip("addr add 198.51.100.1/24 dev xbtap0");
                    TapPort port = new TapPort(device);
                    assertFalse(network.ping("198.51.100.2"));
                    assertFalse(network.ping("198.51.100.2"));
                    PacketBuffer broken = new PacketBuffer();
                    broken.data = null;
                    pool.give(broken);
                    PacketBatch batch = new PacketBatch(4);
                    assertThrows(NullPointerException.class, () -> port.receive(pool, batch));
                    assertTrue(batch.isEmpty());
                    port.receive(pool, batch);
                    assertFalse(batch.isEmpty());
                }
                return null;
            });
        }
    }
}
