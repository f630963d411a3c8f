package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;

/** ESP passes by the Linux bridge, all else crosses it: whatever a frame is, it comes and goes once. */
@Timeout(120)
class WireEspTest {
    private static final int ESP = 50;
    /** Where a frame has its number, behind all headers that are looked at. */
    private static final int NUMBER = 14 + 4 + 40 + 8;

    private static final int SIGN = 0x58425445;

    @TempDir
    private Path directory;

    private TestNetwork network;
    private WireUnderlay underlay;
    private final PacketPool pool = new PacketPool(256);

    @BeforeEach
    void attach() throws Exception {
        network = new TestNetwork();
        underlay = network.inHere(() ->
                (WireUnderlay) Underlay.attach(new WirePlan(DeviceNames.of("veth0", "xfrm0"), true), directory));
        for (String device : List.of("veth0", "xfrm0n", "xfrm0b")) {
            network.ip("link set " + device + " mtu 1600");
        }
        network.ipThere("link set veth0 mtu 1600");
    }

    @AfterEach
    void remove() throws Exception {
        if (network != null) {
            network.close();
        }
    }

    private static byte[] frame(int packetBytes, int type, int number) {
        byte[] frame = new byte[Ethernet.HEADER_BYTES + packetBytes];
        Arrays.fill(frame, 0, 6, (byte) 0x02);
        frame[6] = 0x02;
        Bytes.putU16(frame, Ethernet.TYPE, type);
        Bytes.putI32(frame, NUMBER, SIGN);
        Bytes.putI32(frame, NUMBER + 4, number);
        return frame;
    }

    private static byte[] ipv4(int number, int protocol) {
        return ipv4(number, protocol, 100);
    }

    private static byte[] ipv4(int number, int protocol, int packetBytes) {
        byte[] frame = frame(packetBytes, Ethernet.TYPE_IPV4, number);
        Bytes.putU16(frame, 14, 0x4500);
        Bytes.putU16(frame, 16, packetBytes);
        Bytes.putU16(frame, 20, 0x4000);
        return with(frame, 22, 64 << 8 | protocol);
    }

    private static byte[] ipv6(int number, int protocol) {
        return ipv6(number, protocol, 100);
    }

    private static byte[] ipv6(int number, int protocol, int packetBytes) {
        byte[] frame = frame(packetBytes, Ethernet.TYPE_IPV6, number);
        Bytes.putU16(frame, 14, 0x6000);
        Bytes.putU16(frame, 18, packetBytes - 40);
        Bytes.putU16(frame, 20, protocol << 8 | 64);
        return frame;
    }

    /** With another word, and the right checksum: a bridge may look at that. */
    private static byte[] with(byte[] frame, int at, int value) {
        Bytes.putU16(frame, at, value);
        if (Bytes.u16(frame, Ethernet.TYPE) == Ethernet.TYPE_IPV4) {
            int headerBytes = 4 * (frame[14] & 0xf);
            Bytes.putU16(frame, 24, 0);
            Bytes.putU16(frame, 24, Checksum.finish(Checksum.add(0, frame, 14, headerBytes)));
        }
        return frame;
    }

    private static byte[] tagged(byte[] frame) {
        byte[] tagged = new byte[frame.length + 4];
        System.arraycopy(frame, 0, tagged, 0, 12);
        Bytes.putI32(tagged, 12, Ethernet.TYPE_VLAN << 16 | 7);
        System.arraycopy(frame, 12, tagged, 16, frame.length - 12);
        return tagged;
    }

    /** What is sent there, as the port has it here and as the bridge has handed it to the TAP: how often, by number. */
    private record Arrival(Map<Integer, Integer> atPort, Map<Integer, Integer> atTap) {}

    private Arrival arrivalOf(List<byte[]> frames) throws Exception {
        return network.inHere(() -> {
            try (PacketSocket tap = new PacketSocket("xfrm0n")) {
                network.startInThere(() -> TestNetwork.sendFrames(frames)).get();
                Arrival arrival = new Arrival(new TreeMap<>(), new TreeMap<>());
                PacketBatch batch = new PacketBatch(256);
                for (int quiet = 0; quiet < 5; quiet++) {
                    underlay.network().await(20);
                    underlay.network().receive(pool, batch);
                    for (int i = 0; i < batch.size(); i++) {
                        PacketBuffer frame = batch.get(i);
                        count(
                                Arrays.copyOfRange(frame.data, frame.offset, frame.offset + frame.length),
                                arrival.atPort);
                        quiet = 0;
                    }
                    batch.releaseTo(pool);
                }
                for (byte[] frame = tap.poll(); frame != null; frame = tap.poll()) {
                    count(frame, arrival.atTap);
                }
                return arrival;
            }
        });
    }

    private static void count(byte[] frame, Map<Integer, Integer> into) {
        for (int at : new int[] {NUMBER, NUMBER + 4}) {
            if (frame.length >= at + 8 && Bytes.i32(frame, at) == SIGN) {
                into.merge(Bytes.i32(frame, at + 4), 1, Integer::sum);
            }
        }
    }

    @Test
    void shouldTakePlainEspAloneAndLeaveAllElseToTheBridge() throws Exception {
        List<byte[]> taken = List.of(
                ipv4(0, ESP),
                ipv6(1, ESP),
                with(ipv4(2, ESP), 20, 0),
                with(ipv4(3, ESP), 14, 0x45ff),
                with(ipv6(4, ESP), 14, 0x6fff),
                ipv4(5, ESP, 1500),
                ipv6(6, ESP, 1500));
        List<byte[]> others = List.of(
                with(ipv4(10, ESP), 14, 0x4600),
                with(ipv4(11, ESP), 20, 0x2000),
                with(ipv4(12, ESP), 20, 0x0001),
                with(ipv4(13, ESP), 20, 0x6000),
                ipv4(14, ESP, 1501),
                ipv6(15, ESP, 1501),
                ipv4(16, 51),
                ipv6(17, 51),
                ipv4(18, 17),
                ipv6(19, 59),
                tagged(ipv4(20, ESP)),
                tagged(ipv6(21, ESP)),
                with(ipv4(22, ESP), Ethernet.TYPE, 0x88b5));
        Arrival arrival =
                arrivalOf(Stream.concat(taken.stream(), others.stream()).toList());
        assertEquals(Map.of(), onceless(arrival.atPort));
        assertEquals(taken.size() + others.size(), arrival.atPort.size(), arrival::toString);
        assertEquals(others.size(), arrival.atTap.size(), arrival::toString);
        assertTrue(arrival.atTap.keySet().stream().allMatch(number -> number >= 10), arrival::toString);
    }

    /** Those that did not come once. */
    private static Map<Integer, Integer> onceless(Map<Integer, Integer> counts) {
        Map<Integer, Integer> others = new TreeMap<>(counts);
        others.values().removeIf(count -> count == 1);
        return others;
    }

    /** Two programs say what is taken: one for the ring, one for the packet filter. */
    @Test
    void shouldHaveEveryFrameOnce() throws Exception {
        Random random = new Random(16);
        int[] sensitive = {12, 14, 16, 18, 20, 22};
        int[] values = {0x0800, 0x86dd, 0x4500, 0x4600, 0x6000, 0x0032, 0x3200, 0x4032, 0x2000, 1500, 1501, 1460, 1461};
        for (int round = 0; round < 40; round++) {
            List<byte[]> frames = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                byte[] frame = random.nextBoolean() ? ipv4(i, ESP) : ipv6(i, ESP);
                for (int changes = random.nextInt(3); changes > 0; changes--) {
                    int value = random.nextBoolean() ? values[random.nextInt(values.length)] : random.nextInt(1 << 16);
                    with(frame, sensitive[random.nextInt(sensitive.length)], value);
                }
                frames.add(random.nextInt(8) == 0 ? tagged(frame) : frame);
            }
            Arrival arrival = arrivalOf(frames);
            assertEquals(Map.of(), onceless(arrival.atPort));
            // A bridge may drop what contradicts itself.
            assertTrue(arrival.atPort.size() > 25, arrival::toString);
            assertTrue(arrival.atTap.size() < arrival.atPort.size(), arrival::toString);
        }
    }

    @ParameterizedTest
    @CsvSource({"BRIDGE, 50", "BRIDGE, 17", "STACK, 50"})
    void shouldSendEveryFrameOnceAsItIs(Origin origin, int protocol) throws Exception {
        List<byte[]> arrived = network.startInThere(() -> {
                    try (PacketSocket there = new PacketSocket("veth0")) {
                        network.inHere(() -> {
                            PacketBatch batch = new PacketBatch(4);
                            for (int i = 0; i < 4; i++) {
                                byte[] packet = i % 2 == 0 ? ipv4(i, protocol) : ipv6(i, protocol);
                                PacketBuffer frame = pool.take();
                                frame.length = packet.length;
                                frame.origin = origin;
                                System.arraycopy(packet, 0, frame.data, frame.offset, packet.length);
                                batch.add(frame);
                            }
                            underlay.network().send(batch);
                            return null;
                        });
                        List<byte[]> frames = new ArrayList<>();
                        for (byte[] frame = there.poll(); frame != null; frame = there.poll()) {
                            if (frame.length >= NUMBER + 8 && Bytes.i32(frame, NUMBER) == SIGN) {
                                frames.add(frame);
                            }
                        }
                        return frames;
                    }
                })
                .get();
        assertEquals(4, arrived.size());
        for (int i = 0; i < 4; i++) {
            byte[] expected = i % 2 == 0 ? ipv4(i, protocol) : ipv6(i, protocol);
            assertTrue(Arrays.equals(expected, arrived.get(i)), "frame " + i);
        }
    }
}
