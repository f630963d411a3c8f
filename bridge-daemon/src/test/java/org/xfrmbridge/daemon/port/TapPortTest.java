package org.xfrmbridge.daemon.port;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.MessagesToSend;
import org.xfrmbridge.daemon.os.PacketSocket;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.MacAddress;

/** Against a real kernel. A frame whose buffer is broken costs no other that is read or written with it. */
@Timeout(60)
class TapPortTest {
    private static final int FRAME_BYTES = 60;
    private static final int PORT = 2222;

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
                        assertThrows(
                                IndexOutOfBoundsException.class,
                                () -> TapPort.ofHost(device, 0).send(batch));
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
                    TapPort port = TapPort.ofHost(device, 0);
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

    private static byte[] datagram(byte[] from, byte[] to, int number, int bytes) {
        boolean isIpv4 = from.length == 4;
        int udp = isIpv4 ? 20 : 40;
        byte[] packet = new byte[udp + 8 + bytes];
        System.arraycopy(from, 0, packet, isIpv4 ? 12 : 8, from.length);
        System.arraycopy(to, 0, packet, isIpv4 ? 16 : 24, to.length);
        Bytes.putI32(packet, udp, 1111 << 16 | PORT);
        Bytes.putU16(packet, udp + 4, 8 + bytes);
        for (int i = 0; i < bytes; i++) {
            packet[udp + 8 + i] = (byte) (number + i);
        }
        long pseudo = Checksum.add(0, from, 0, from.length) + Checksum.add(0, to, 0, to.length) + 17 + 8 + bytes;
        Bytes.putU16(packet, udp + 6, Checksum.finish(Checksum.add(pseudo, packet, udp, 8 + bytes)));
        if (isIpv4) {
            Bytes.putU16(packet, 0, 0x4500);
            Bytes.putU16(packet, Ipv4.ID, number);
            Bytes.putU16(packet, Ipv4.TTL, 64 << 8 | 17);
            Ipv4.finish(packet, 0, packet.length);
        } else {
            Bytes.putI32(packet, 0, 6 << 28);
            Bytes.putU16(packet, 4, 8 + bytes);
            Bytes.putU16(packet, 6, 17 << 8 | 64);
        }
        return packet;
    }

    private static PacketBuffer toTap(byte[] packet) {
        PacketBuffer frame = new PacketBuffer();
        frame.length = Ethernet.HEADER_BYTES + packet.length;
        MacAddress.write(frame.data, frame.offset, 0x0249_0700_0000L);
        Bytes.putU16(
                frame.data,
                frame.offset + Ethernet.TYPE,
                packet[0] >>> 4 == 4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        System.arraycopy(packet, 0, frame.data, frame.offset + Ethernet.HEADER_BYTES, packet.length);
        return frame;
    }

    /** Who reads them has what was sent, one by one; a kernel that takes super-frames has seen few packets. */
    @ParameterizedTest
    @CsvSource({"198.51.100.1, 198.51.100.2", "2001:db8:9::1, 2001:db8:9::2"})
    void shouldHandOverDatagramsAsTheyAre(String here, String there) throws Exception {
        byte[] to = InetAddress.getByName(here).getAddress();
        byte[] from = InetAddress.getByName(there).getAddress();
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES)) {
                    network.ip("link set xbtap0 address 02:49:07:00:00:00 arp off up");
                    network.ip("addr add 198.51.100.1/24 dev xbtap0");
                    network.ip("addr add 2001:db8:9::1/64 dev xbtap0 nodad");
                    PacketBatch batch = new PacketBatch(64);
                    List<byte[]> sent = new ArrayList<>();
                    for (int i = 0; i < 44; i++) {
                        byte[] packet = datagram(from, to, i, i == 43 ? 7 : i < 40 ? 64 : 1200);
                        sent.add(Arrays.copyOfRange(packet, to.length == 4 ? 28 : 48, packet.length));
                        batch.add(toTap(packet));
                    }
                    long before = packetsIn(network);
                    try (DatagramSocket socket =
                            new DatagramSocket(new InetSocketAddress(to.length == 4 ? "0.0.0.0" : "::", PORT))) {
                        socket.setSoTimeout(5000);
                        TapPort.ofHost(device, 0).send(batch);
                        for (byte[] expected : sent) {
                            DatagramPacket got = new DatagramPacket(new byte[2000], 2000);
                            socket.receive(got);
                            assertArrayEquals(expected, Arrays.copyOf(got.getData(), got.getLength()));
                        }
                    }
                    if (device.carriesDatagrams()) {
                        // 40 of one size, 3 of another and the short one.
                        assertEquals(before + 2, packetsIn(network));
                    }
                }
                return null;
            });
        }
    }

    private static long packetsIn(TestNetwork network) throws Exception {
        return packets(network, "rx");
    }

    private static long packets(TestNetwork network, String direction) throws Exception {
        return Long.parseLong(network.exec("cat /sys/class/net/xbtap0/statistics/" + direction + "_packets")
                .trim());
    }

    /** What a program sends as one, the port has as the kernel would have cut it. */
    @ParameterizedTest
    @CsvSource({
        "198.51.100.1, 198.51.100.2, 40, 64, 64",
        "198.51.100.1, 198.51.100.2, 44, 1400, 7",
        "2001:db8:9::1, 2001:db8:9::2, 40, 64, 64",
        "2001:db8:9::1, 2001:db8:9::2, 45, 1400, 1399"
    })
    void shouldCutDatagramsAsAKernelDoes(String here, String there, int datagrams, int bytes, int lastBytes)
            throws Exception {
        byte[] from = InetAddress.getByName(here).getAddress();
        byte[] to = InetAddress.getByName(there).getAddress();
        byte[] payload = new byte[(datagrams - 1) * bytes + lastBytes];
        new Random(5).nextBytes(payload);
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                List<byte[]> byKernel = sentAsOne(network, TapDevice.Offload.NONE, from, to, payload, bytes);
                assertEquals(datagrams, byKernel.size());
                List<byte[]> byPort = sentAsOne(network, TapDevice.Offload.SUPER_FRAMES, from, to, payload, bytes);
                assertEquals(datagrams, byPort.size());
                for (int i = 0; i < datagrams; i++) {
                    assertArrayEquals(byKernel.get(i), byPort.get(i), "datagram " + i);
                }
                return null;
            });
        }
    }

    private List<byte[]> sentAsOne(
            TestNetwork network, TapDevice.Offload offload, byte[] from, byte[] to, byte[] payload, int segmentBytes)
            throws Exception {
        try (TapDevice device = TapDevice.open("xbtap0", offload)) {
            network.ip("link set xbtap0 address 02:49:07:00:00:00 arp off up");
            network.ip("addr replace 198.51.100.1/24 dev xbtap0");
            network.ip("addr replace 2001:db8:9::1/64 dev xbtap0 nodad");
            TapPort port = TapPort.ofHost(device, 0);
            long before = packets(network, "tx");
            try (IpSocket socket = IpSocket.udpReceiver(to.length == 4 ? 2 : 10, PORT, true)) {
                MessagesToSend message = new MessagesToSend();
                byte[] address = Arrays.copyOf(to, to.length + 2);
                Bytes.putU16(address, to.length, PORT);
                message.beginUdp(socket, payload.length, address, 0, to.length);
                if (to.length == 4) {
                    message.ipv4Source(from, 0, 0);
                } else {
                    message.ipv6Source(from, 0, 0);
                }
                message.segments(segmentBytes);
                message.append(payload, 0, payload.length);
                message.end();
                message.flush();
            }
            List<byte[]> frames = new ArrayList<>();
            PacketBatch batch = new PacketBatch(64);
            for (port.receive(pool, batch); !batch.isEmpty(); port.receive(pool, batch)) {
                for (int i = 0; i < batch.size(); i++) {
                    PacketBuffer frame = batch.get(i);
                    int udp = Ethernet.HEADER_BYTES + (to.length == 4 ? 20 : 40);
                    if (frame.length > udp && Bytes.u16(frame.data, frame.offset + udp + 2) == PORT) {
                        frames.add(Arrays.copyOfRange(frame.data, frame.offset, frame.offset + frame.length));
                    }
                }
                batch.clear();
            }
            if (device.carriesDatagrams()) {
                assertTrue(packets(network, "tx") - before < 5, "one super-frame, and what the host says of itself");
            }
            return frames;
        }
    }

    /** The device keeps 500 frames for who reads. */
    @Test
    void shouldTellOfFramesThatNobodyTook() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.NONE)) {
                    network.ip("link set xbtap0 up");
                    network.ip("addr add 198.51.100.1/24 dev xbtap0");
                    network.ip("neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev xbtap0");
                    TapPort port = TapPort.ofHost(device, 0);
                    assertEquals(0, port.missed());
                    try (DatagramSocket socket = new DatagramSocket()) {
                        for (int i = 0; i < 2000; i++) {
                            socket.send(
                                    new DatagramPacket(new byte[10], 10, new InetSocketAddress("198.51.100.2", PORT)));
                        }
                    }
                    assertTrue(port.missed() >= 1000, port.missed() + " were missed");
                }
                return null;
            });
        }
    }
}
