package org.xfrmbridge.offload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ipv4;

class DatagramCoalescingTest {
    private static final int PAYLOAD = 64;
    private static final int IP = 14;
    private static final int UDP = 17;

    private final PacketBatch batch = new PacketBatch(64);
    private final DatagramCoalescing coalescing = DatagramCoalescing.ofAll();

    private static int udpStart(int version) {
        return IP + (version == 4 ? 20 : 40);
    }

    /** The n-th of a flow, which may be cut. */
    private static byte[] frame(int version, int number, int bytes) {
        int udp = udpStart(version);
        byte[] frame = new byte[udp + 8 + bytes];
        Bytes.putU16(frame, 12, version == 4 ? 0x0800 : 0x86dd);
        if (version == 4) {
            Bytes.putU16(frame, IP, 0x4500);
            Bytes.putU16(frame, IP + Ipv4.ID, 0xffff + number & 0xffff);
            Bytes.putU16(frame, IP + Ipv4.TTL, 64 << 8 | UDP);
        } else {
            Bytes.putI32(frame, IP, 6 << 28);
            Bytes.putU16(frame, IP + 4, 8 + bytes);
            Bytes.putU16(frame, IP + 6, UDP << 8 | 64);
        }
        for (int at = IP + (version == 4 ? 12 : 8); at < udp; at++) {
            frame[at] = (byte) (at * 3);
        }
        Bytes.putI32(frame, udp, 1111 << 16 | 2222);
        for (int i = 0; i < bytes; i++) {
            frame[udp + 8 + i] = (byte) (number + i);
        }
        seal(version, frame);
        return frame;
    }

    private static void seal(int version, byte[] frame) {
        int udp = udpStart(version);
        int bytes = frame.length - udp;
        Bytes.putU16(frame, udp + 4, bytes);
        Bytes.putU16(frame, udp + 6, 0);
        Bytes.putU16(frame, udp + 6, Checksum.finish(Checksum.add(pseudo(version, frame), frame, udp, bytes)));
        if (version == 4) {
            Ipv4.finish(frame, IP, frame.length - IP);
        }
    }

    private static long pseudo(int version, byte[] frame) {
        int udp = udpStart(version);
        int from = IP + (version == 4 ? 12 : 8);
        return Checksum.add(0, frame, from, udp - from) + UDP + frame.length - udp;
    }

    private void add(byte[] frame) {
        batch.add(SegmentationTest.buffer(frame));
    }

    private void addFlow(int version, int datagrams) {
        for (int i = 0; i < datagrams; i++) {
            add(frame(version, i, PAYLOAD));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldYieldOneDatagramOfAll(int version) {
        addFlow(version, 5);
        add(frame(version, 5, 10));
        add(frame(version, 6, 10));
        assertEquals(6, coalescing.run(batch, 0));
        byte[] whole = frame(version, 0, 5 * PAYLOAD + 10);
        Bytes.putU16(whole, udpStart(version) + 6, ~Checksum.finish(pseudo(version, whole)) & 0xffff);
        int headerBytes = udpStart(version) + 8;
        assertEquals(headerBytes, coalescing.headerBytes());
        assertArrayEquals(Arrays.copyOf(whole, headerBytes), Arrays.copyOf(coalescing.header(), headerBytes));
        assertEquals(PAYLOAD, coalescing.segmentBytes());
        assertEquals(udpStart(version), coalescing.transportStart());
        assertEquals(version == 4, coalescing.isIpv4());
    }

    private void addWithoutChecksums(int version, int datagrams) {
        for (int i = 0; i < datagrams; i++) {
            byte[] frame = frame(version, i, PAYLOAD);
            Bytes.putU16(frame, udpStart(version) + 6, 0);
            add(frame);
        }
    }

    /** ESP in UDP over IPv4: the checksum is the kernel's to make. */
    @Test
    void shouldMergeOuterPacketsWithoutChecksums() {
        addWithoutChecksums(4, 5);
        assertEquals(1, coalescing.run(batch, 0));
        DatagramCoalescing outer = DatagramCoalescing.ofOuterPackets(100, 1 << 20);
        assertEquals(5, outer.run(batch, 0));
        byte[] whole = frame(4, 0, 5 * PAYLOAD);
        Bytes.putU16(whole, udpStart(4) + 6, ~Checksum.finish(pseudo(4, whole)) & 0xffff);
        int headerBytes = udpStart(4) + 8;
        assertArrayEquals(Arrays.copyOf(whole, headerBytes), Arrays.copyOf(outer.header(), headerBytes));
        batch.clear();
        addWithoutChecksums(6, 5);
        assertEquals(1, outer.run(batch, 0));
        batch.clear();
        addFlow(6, 5);
        assertEquals(5, outer.run(batch, 0));
    }

    @Test
    void shouldLeaveThePacketsOfOthersAsTheyAre() {
        DatagramCoalescing outer = DatagramCoalescing.ofOuterPackets(100, 1 << 20);
        addFlow(4, 4);
        batch.get(2).origin = PacketBuffer.Origin.STACK;
        assertEquals(2, outer.run(batch, 0));
        assertEquals(1, outer.run(batch, 2));
        batch.get(0).origin = PacketBuffer.Origin.STACK;
        assertEquals(1, outer.run(batch, 0));
        batch.clear();
        addFlow(4, 2);
        batch.get(1).data[batch.get(1).offset + udpStart(4) + 20] ^= 1;
        assertEquals(1, outer.run(batch, 0));
    }

    @Test
    void shouldMergeNoMoreThanTheDeviceCuts() {
        addFlow(4, 60);
        assertEquals(7, DatagramCoalescing.ofOuterPackets(7, 1 << 20).run(batch, 0));
        int headerBytes = udpStart(4) + 8;
        assertEquals(
                9,
                DatagramCoalescing.ofOuterPackets(64, headerBytes + 10 * PAYLOAD - 1)
                        .run(batch, 0));
        assertEquals(
                10,
                DatagramCoalescing.ofOuterPackets(64, headerBytes + 10 * PAYLOAD)
                        .run(batch, 0));
    }

    @Test
    void shouldMergeNoMoreThanEveryKernelCuts() {
        addFlow(4, 100);
        assertEquals(64, coalescing.run(batch, 0));
        assertEquals(36, coalescing.run(batch, 64));
        assertEquals(1, coalescing.run(batch, 99));
    }

    @Test
    void shouldStayBelowTheLargestPacket() {
        for (int i = 0; i < 60; i++) {
            add(frame(6, i, 1400));
        }
        assertEquals(46, coalescing.run(batch, 0));
    }

    @Test
    void shouldEndBeforeALargerOne() {
        addFlow(4, 2);
        add(frame(4, 2, PAYLOAD + 1));
        assertEquals(2, coalescing.run(batch, 0));
    }

    @Test
    void shouldEndBeforeAnotherMark() {
        addFlow(6, 3);
        batch.get(2).mark = 7;
        assertEquals(2, coalescing.run(batch, 0));
    }

    private void changeSecondAndExpect(int merged, int version, Consumer<byte[]> change) {
        batch.clear();
        add(frame(version, 0, PAYLOAD));
        byte[] second = frame(version, 1, PAYLOAD);
        change.accept(second);
        add(second);
        assertEquals(merged, coalescing.run(batch, 0));
    }

    /** Each byte of the headers that tells one flow from another. */
    @Test
    void shouldMergeNothingWhenHeadersDiffer() {
        for (int at : new int[] {0, 6, 15, 20, 22, 26, 30, 34, 36}) {
            changeSecondAndExpect(1, 4, frame -> {
                frame[at] ^= 0x10;
                seal(4, frame);
            });
        }
        for (int at : new int[] {0, 6, 15, 17, 21, 22, 38, 54, 56}) {
            changeSecondAndExpect(1, 6, frame -> {
                frame[at] ^= 0x01;
                seal(6, frame);
            });
        }
        changeSecondAndExpect(2, 4, frame -> seal(4, frame));
    }

    /** A kernel that cuts it counts them up. */
    @Test
    void shouldKeepIdentificationsThatCount() {
        changeSecondAndExpect(1, 4, frame -> {
            Bytes.putU16(frame, IP + Ipv4.ID, 5);
            seal(4, frame);
        });
        batch.clear();
        for (int i = 0; i < 2; i++) {
            byte[] frame = frame(4, 0, PAYLOAD);
            Bytes.putU16(frame, IP + Ipv4.FRAGMENT, Ipv4.DONT_FRAGMENT);
            seal(4, frame);
            add(frame);
        }
        assertEquals(2, coalescing.run(batch, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldLeaveTheHostWhatIsNotRight(int version) {
        int udp = udpStart(version);
        changeSecondAndExpect(1, version, frame -> frame[frame.length - 1] ^= 1);
        changeSecondAndExpect(1, version, frame -> Bytes.putU16(frame, udp + 6, 0));
        changeSecondAndExpect(1, version, frame -> Bytes.putU16(frame, udp + 4, 9));
        changeSecondAndExpect(1, version, frame -> frame[IP] ^= 0x20);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldMergeNothingThatIsCutShort(int version) {
        for (int length = 0; length < udpStart(version) + 8 + PAYLOAD; length++) {
            batch.clear();
            byte[] frame = Arrays.copyOf(frame(version, 0, PAYLOAD), length);
            add(frame);
            add(frame);
            assertEquals(1, coalescing.run(batch, 0), "" + length);
        }
    }
}
