package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;

class ReassemblyTest {
    private final PacketPool pool = new PacketPool(16);
    private final Reassembly reassembly = new Reassembly(pool);
    private final Random random = new Random(815);
    private long nowNs;

    private static Frames udp(int family, int bytes) {
        return (family == 4 ? Frames.udp("192.0.2.1", "192.0.2.2") : Frames.udp("2001:db8::1", "2001:db8::2"))
                .bytes(bytes);
    }

    static List<byte[]> fragments(byte[] frame, int mtu) {
        PacketBatch out = new PacketBatch(4);
        IpPacket packet = Frames.view(frame);
        packet.keepLink();
        new Fragmenter(new PacketPool(1), new Identifications(0, 1)).divide(packet, mtu, out);
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) {
            PacketBuffer piece = out.get(i);
            frames.add(Arrays.copyOfRange(piece.data, piece.offset, piece.offset + piece.length));
        }
        return frames;
    }

    /** The whole frame, or null. */
    private byte[] add(byte[] fragment) {
        PacketBuffer whole = reassembly.add(Frames.view(fragment), new SecPath(), nowNs);
        return whole == null ? null : Arrays.copyOfRange(whole.data, whole.offset, whole.offset + whole.length);
    }

    private byte[] addAll(List<byte[]> fragments) {
        byte[] whole = null;
        for (byte[] fragment : fragments) {
            whole = whole == null ? add(fragment) : whole;
        }
        return whole;
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void shouldPutTogetherInAnyOrder(int family) {
        for (int round = 0; round < 200; round++) {
            byte[] frame = udp(family, 1 + random.nextInt(9000)).frame();
            List<byte[]> fragments = fragments(frame, 200 + random.nextInt(1400));
            Collections.shuffle(fragments, random);
            assertArrayEquals(frame, addAll(fragments));
            assertEquals(0, reassembly.size());
        }
    }

    @Test
    void shouldTakeTheLongestPacket() {
        byte[] frame = udp(4, 65535 - 28).frame();
        List<byte[]> fragments = fragments(frame, 1500);
        Collections.reverse(fragments);
        assertArrayEquals(frame, addAll(fragments));
    }

    @Test
    void shouldNotMindRepeatedFragments() {
        byte[] frame = udp(4, 3000).frame();
        List<byte[]> fragments = fragments(frame, 1500);
        assertNull(add(fragments.get(1)));
        assertNull(add(fragments.get(1)));
        assertNull(add(fragments.get(0)));
        assertNull(add(fragments.get(0)));
        assertArrayEquals(frame, add(fragments.get(2)));
    }

    @Test
    void shouldDropTheWholePacketWhenFragmentsOverlap() {
        List<byte[]> fragments = fragments(udp(4, 3000).frame(), 1500);
        byte[] overlapping = fragments.get(1).clone();
        int at = Ethernet.HEADER_BYTES + Ipv4.FRAGMENT;
        Bytes.putU16(overlapping, at, Bytes.u16(overlapping, at) - 1);
        Ipv4.finish(overlapping, Ethernet.HEADER_BYTES, overlapping.length - Ethernet.HEADER_BYTES);
        assertNull(add(fragments.get(0)));
        assertNull(add(overlapping));
        assertEquals(0, reassembly.size());
        assertNull(add(fragments.get(1)));
        assertNull(add(fragments.get(2)));
        assertEquals(1, reassembly.size());
    }

    @Test
    void shouldRefuseEndsThatContradictEachOther() {
        List<byte[]> fragments = fragments(udp(4, 3000).frame(), 1500);
        List<byte[]> shorter = fragments(udp(4, 2000).frame(), 1500);
        assertNull(add(fragments.get(2)));
        assertNull(add(shorter.get(1)));
        assertEquals(0, reassembly.size());
    }

    @Test
    void shouldForgetWhatIsNotCompletedInTime() {
        List<byte[]> fragments = fragments(udp(4, 3000).frame(), 1500);
        assertNull(add(fragments.get(0)));
        assertNull(add(fragments.get(1)));
        nowNs += Reassembly.TIMEOUT_NS;
        assertNull(add(fragments.get(2)));
        assertEquals(1, reassembly.size());
    }

    @Test
    void shouldMakeRoomByForgettingTheOldest() {
        List<List<byte[]>> packets = new ArrayList<>();
        for (int i = 0; i <= Reassembly.MAX_DATAGRAMS; i++) {
            Frames frames = udp(4, 2000);
            frames.id = i + 1;
            packets.add(fragments(frames.frame(), 1500));
            nowNs++;
            assertNull(add(packets.get(i).get(0)));
        }
        assertEquals(Reassembly.MAX_DATAGRAMS, reassembly.size());
        assertNotNull(add(packets.getLast().get(1)));
        assertNotNull(add(packets.get(1).get(1)));
        assertNull(add(packets.get(0).get(1)));
    }

    @Test
    void shouldKeepPacketsApart() {
        Frames other = udp(4, 2000);
        other.id = 7;
        assertNull(add(fragments(udp(4, 2000).frame(), 1500).get(0)));
        assertNull(add(fragments(other.frame(), 1500).get(1)));
        assertNull(
                add(fragments(Frames.udp("192.0.2.3", "192.0.2.2").bytes(2000).frame(), 1500)
                        .get(1)));
        assertEquals(3, reassembly.size());
    }

    @Test
    void shouldCopyOnlyTheOptionsThatSayso() {
        Frames frames = udp(4, 2000);
        // record route (not copied), then router alert (copied), then end
        frames.options = new byte[] {7, 7, 4, 0, 0, 0, 0, (byte) 0x94, 4, 0, 0, 0};
        List<byte[]> fragments = fragments(frames.frame(), 1500);
        byte[] later = Arrays.copyOfRange(fragments.get(1), 34, 46);
        assertArrayEquals(new byte[] {1, 1, 1, 1, 1, 1, 1, (byte) 0x94, 4, 0, 0, 0}, later);
        assertArrayEquals(frames.frame(), addAll(fragments));
    }
}
