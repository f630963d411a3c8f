package org.xfrmbridge.offload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;

class SegmentationTest {
    private static final int SEQUENCE = 0xffff_ff00;
    private final PacketPool pool = new PacketPool(64);
    private final PacketBatch batch = new PacketBatch(64);
    private final Random random = new Random(7);

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldCutIntoWholeSegmentsWithRightChecksumsWhenAStreamIsLong(int version) {
        byte[] payload = randomBytes(5 * 1400 + 1);
        byte[] frame = TcpFrames.frame(version, SEQUENCE, TcpFrames.ACK | TcpFrames.PSH | TcpFrames.CWR, payload);
        boolean cut = Segmentation.cutStream(ByteBuffer.wrap(frame), 0, TcpFrames.tcpStart(version), 1400, pool, batch);
        assertTrue(cut);
        assertEquals(6, batch.size());
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        for (int i = 0; i < batch.size(); i++) {
            int expectedFlags = TcpFrames.ACK | (i == 0 ? TcpFrames.CWR : 0) | (i == 5 ? TcpFrames.PSH : 0);
            byte[] part = Arrays.copyOfRange(payload, i * 1400, Math.min(payload.length, (i + 1) * 1400));
            byte[] expected = TcpFrames.frame(version, SEQUENCE + i * 1400, expectedFlags, part);
            TcpFrames.setIdentification(version, expected, TcpFrames.IDENTIFICATION + i);
            assertArrayEquals(expected, bytes(batch.get(i)), "segment " + i);
            stream.writeBytes(part);
        }
        assertArrayEquals(payload, stream.toByteArray());
    }

    @Test
    void shouldKeepAStreamThatFitsInOnePiece() {
        byte[] frame = TcpFrames.frame(4, 1, TcpFrames.ACK, randomBytes(10));
        assertTrue(Segmentation.cutStream(ByteBuffer.wrap(frame), 0, TcpFrames.tcpStart(4), 1400, pool, batch));
        assertArrayEquals(frame, bytes(batch.get(0)));
    }

    @Test
    void shouldRefuseWhenLengthsContradict() {
        byte[] frame = TcpFrames.frame(4, 1, TcpFrames.ACK, randomBytes(10));
        int tcp = TcpFrames.tcpStart(4);
        assertFalse(Segmentation.cutStream(ByteBuffer.wrap(frame), 0, tcp, 0, pool, batch));
        assertFalse(Segmentation.cutStream(ByteBuffer.wrap(frame), 0, frame.length - 5, 1400, pool, batch));
        assertFalse(Segmentation.cutStream(ByteBuffer.wrap(frame), 0, 0, 1400, pool, batch));
        assertFalse(Segmentation.cutDatagrams(ByteBuffer.wrap(frame), 0, 0, 1400, pool, batch));
        assertFalse(Segmentation.cutDatagrams(ByteBuffer.wrap(frame), 0, tcp, 0, pool, batch));
        assertFalse(Segmentation.cutDatagrams(ByteBuffer.wrap(frame), 0, frame.length - 7, 1400, pool, batch));
        frame[tcp + 12] = 0x10;
        assertFalse(Segmentation.cutStream(ByteBuffer.wrap(frame), 0, tcp, 1400, pool, batch));
        assertTrue(batch.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldFinishAChecksumThatIsPartial(int version) {
        byte[] whole = TcpFrames.frame(version, 5, TcpFrames.ACK, randomBytes(333));
        PacketBuffer packet = buffer(TcpFrames.withPartialChecksum(version, whole));
        Segmentation.finishChecksum(packet, TcpFrames.tcpStart(version), 16);
        assertArrayEquals(whole, bytes(packet));
    }

    private byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    static PacketBuffer buffer(byte[] frame) {
        PacketBuffer packet = new PacketBuffer();
        packet.ensureCapacity(frame.length);
        System.arraycopy(frame, 0, packet.data, packet.offset, frame.length);
        packet.length = frame.length;
        return packet;
    }

    static byte[] bytes(PacketBuffer packet) {
        return Arrays.copyOfRange(packet.data, packet.offset, packet.offset + packet.length);
    }
}
