package org.xfrmbridge.offload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.io.PacketBatch;

class StreamCoalescingTest {
    private static final int MSS = 1000;
    private final PacketBatch batch = new PacketBatch(64);
    private final StreamCoalescing coalescing = new StreamCoalescing();
    private final Random random = new Random(11);

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldYieldTheFrameThatWasCutWhenAllSegmentsFollowEachOther(int version) {
        byte[] payload = new byte[7 * MSS - 5];
        random.nextBytes(payload);
        addStream(version, 0xffff_f000, payload);
        assertEquals(7, coalescing.run(batch, 0));
        byte[] whole = TcpFrames.withPartialChecksum(
                version, TcpFrames.frame(version, 0xffff_f000, TcpFrames.ACK | TcpFrames.PSH, payload));
        byte[] merged = Arrays.copyOf(coalescing.header(), whole.length);
        int at = coalescing.headerBytes();
        for (int i = 0; i < 7; i++) {
            byte[] frame = SegmentationTest.bytes(batch.get(i));
            System.arraycopy(frame, coalescing.headerBytes(), merged, at, frame.length - coalescing.headerBytes());
            at += frame.length - coalescing.headerBytes();
        }
        assertArrayEquals(whole, merged);
        assertEquals(MSS, coalescing.segmentBytes());
        assertEquals(TcpFrames.tcpStart(version), coalescing.transportStart());
    }

    @Test
    void shouldMergeNothingWhenASegmentIsMissing() {
        addStream(4, 1, new byte[MSS]);
        addStream(4, 1 + 2 * MSS, new byte[MSS]);
        clearPush();
        assertEquals(1, coalescing.run(batch, 0));
    }

    @Test
    void shouldEndBeforeAnotherMark() {
        addStream(4, 1, new byte[3 * MSS]);
        batch.get(2).mark = 7;
        assertEquals(2, coalescing.run(batch, 0));
    }

    @Test
    void shouldEndBehindAPush() {
        addStream(4, 1, new byte[2 * MSS]);
        addStream(4, 1 + 2 * MSS, new byte[MSS]);
        assertEquals(2, coalescing.run(batch, 0));
        assertEquals(1, coalescing.run(batch, 2));
    }

    /** What ends a run has other headers, and nothing of it is in the one of the run. */
    @Test
    void shouldTakePushFromItsOwnLastSegment() {
        addStream(4, 1, new byte[2 * MSS]);
        addStream(6, 1, new byte[MSS]);
        batch.get(1).data[batch.get(1).offset + TcpFrames.tcpStart(4) + 13] = TcpFrames.ACK;
        reseal(1);
        assertEquals(2, coalescing.run(batch, 0));
        assertEquals(TcpFrames.ACK, coalescing.header()[TcpFrames.tcpStart(4) + 13]);
    }

    @Test
    void shouldEndBehindAShortSegment() {
        addStream(4, 1, new byte[2 * MSS + 1]);
        addStream(4, 2 + 2 * MSS, new byte[MSS]);
        clearPush();
        assertEquals(3, coalescing.run(batch, 0));
    }

    @Test
    void shouldStayBelowTheLargestPacket() {
        addStream(4, 1, new byte[80 * MSS]);
        clearPush();
        assertEquals(65, coalescing.run(batch, 0));
    }

    @Test
    void shouldLeaveADamagedSegmentToTheHost() {
        damageSecondAndExpectOne(frame -> frame[frame.length - 1] ^= 1);
    }

    /** Each byte of the headers that tells one stream, or one moment of it, from another. */
    @Test
    void shouldMergeNothingWhenHeadersDiffer() {
        int tcp = TcpFrames.tcpStart(4);
        for (int at : new int[] {
            0, 6, 15, 20, 22, 26, 30, tcp, tcp + 2, tcp + 8, tcp + 12, tcp + 14, tcp + 18, tcp + 20, tcp + 27
        }) {
            damageSecondAndExpectOne(frame -> {
                frame[at] ^= 0x10;
                TcpFrames.seal(4, frame);
            });
        }
        for (int flag : new int[] {TcpFrames.FIN, TcpFrames.CWR, 0x02, 0x04, 0x20, 0x40}) {
            damageSecondAndExpectOne(frame -> {
                frame[tcp + 13] |= (byte) flag;
                TcpFrames.seal(4, frame);
            });
        }
    }

    @Test
    void shouldMergeNothingWhenItIsNoTcpOrCutShort() {
        for (int length = 0; length < 70; length++) {
            batch.clear();
            byte[] frame = Arrays.copyOf(TcpFrames.frame(4, 1, TcpFrames.ACK, new byte[MSS]), length);
            batch.add(SegmentationTest.buffer(frame));
            batch.add(SegmentationTest.buffer(frame));
            assertEquals(1, coalescing.run(batch, 0));
        }
    }

    private void damageSecondAndExpectOne(Consumer<byte[]> damage) {
        batch.clear();
        batch.add(SegmentationTest.buffer(TcpFrames.frame(4, 1, TcpFrames.ACK, new byte[MSS])));
        byte[] second = TcpFrames.frame(4, 1 + MSS, TcpFrames.ACK, new byte[MSS]);
        damage.accept(second);
        batch.add(SegmentationTest.buffer(second));
        assertEquals(1, coalescing.run(batch, 0));
    }

    private void addStream(int version, int sequence, byte[] payload) {
        for (int at = 0; at < payload.length; at += MSS) {
            byte[] part = Arrays.copyOfRange(payload, at, Math.min(payload.length, at + MSS));
            int flags = TcpFrames.ACK | (at + MSS >= payload.length ? TcpFrames.PSH : 0);
            byte[] frame = TcpFrames.frame(version, sequence + at, flags, part);
            TcpFrames.setIdentification(version, frame, TcpFrames.IDENTIFICATION + at / MSS);
            batch.add(SegmentationTest.buffer(frame));
        }
    }

    private void clearPush() {
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).data[batch.get(i).offset + TcpFrames.tcpStart(4) + 13] = TcpFrames.ACK;
            reseal(i);
        }
    }

    private void reseal(int index) {
        byte[] frame = SegmentationTest.bytes(batch.get(index));
        TcpFrames.seal(4, frame);
        System.arraycopy(frame, 0, batch.get(index).data, batch.get(index).offset, frame.length);
    }
}
