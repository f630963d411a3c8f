package org.xfrmbridge.daemon.port;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;

/** Against a real kernel: which queue of a TAP the frames of a flow come by, and what of them stays. */
@Timeout(60)
class TapQueuesTest {
    private static final int QUEUES = 4;
    private static final int FLOWS = 64;
    private static final int PORT = 2222;
    private static final int SOURCE_PORT = Ethernet.HEADER_BYTES + 20;
    private static final int DESTINATION_PORT = SOURCE_PORT + 2;

    private final PacketPool pool = new PacketPool(8);
    private final List<DatagramSocket> sockets = new ArrayList<>();

    private void send() throws Exception {
        byte[] content = new byte[20];
        for (DatagramSocket socket : sockets) {
            socket.send(new DatagramPacket(content, content.length, InetAddress.getByName("198.51.100.2"), PORT));
        }
    }

    /** The queue of each flow, by its port, and its frame. */
    private Map<Integer, Integer> received(List<TapPort> ports, List<PacketBuffer> frames) {
        Map<Integer, Integer> queues = new TreeMap<>();
        for (int queue = 0; queue < ports.size(); queue++) {
            PacketBatch batch = new PacketBatch(64);
            for (ports.get(queue).receive(pool, batch);
                    !batch.isEmpty();
                    ports.get(queue).receive(pool, batch)) {
                for (int i = 0; i < batch.size(); i++) {
                    PacketBuffer frame = batch.get(i);
                    if (frame.length > DESTINATION_PORT + 2
                            && Bytes.u16(frame.data, frame.offset + DESTINATION_PORT) == PORT) {
                        queues.put(Bytes.u16(frame.data, frame.offset + SOURCE_PORT), queue);
                        frames.add(frame);
                    }
                }
                batch.clear();
            }
        }
        return queues;
    }

    private static List<TapPort> ports(TapDevice device) throws Exception {
        List<TapPort> ports = new ArrayList<>();
        for (int queue = 0; queue < device.queueCount(); queue++) {
            ports.add(TapPort.ofHost(device, queue));
        }
        return ports;
    }

    private static void turnRound(PacketBuffer frame) {
        int ip = frame.offset + Ethernet.HEADER_BYTES;
        int source = Bytes.i32(frame.data, ip + 12);
        Bytes.putI32(frame.data, ip + 12, Bytes.i32(frame.data, ip + 16));
        Bytes.putI32(frame.data, ip + 16, source);
        int port = Bytes.u16(frame.data, frame.offset + SOURCE_PORT);
        Bytes.putU16(frame.data, frame.offset + SOURCE_PORT, PORT);
        Bytes.putU16(frame.data, frame.offset + DESTINATION_PORT, port);
    }

    /** Answers that all come by one thread take no flow to another queue, as its frames would overtake each other. */
    @Test
    void shouldKeepEachFlowAtItsQueueWhateverIsWritten() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES, QUEUES)) {
                    network.ip("link set xbtap0 address 02:49:07:00:00:00 arp off up");
                    network.ip("addr replace 198.51.100.1/24 dev xbtap0");
                    for (int i = 0; i < FLOWS; i++) {
                        sockets.add(new DatagramSocket(0, InetAddress.getByName("198.51.100.1")));
                    }
                    List<TapPort> ports = ports(device);
                    List<PacketBuffer> frames = new ArrayList<>();
                    send();
                    Map<Integer, Integer> first = received(ports, frames);
                    assertEquals(FLOWS, first.size());
                    Set<Integer> used = new HashSet<>(first.values());
                    assertEquals(QUEUES, used.size(), "each queue has some");

                    PacketBatch answers = new PacketBatch(FLOWS);
                    frames.forEach(TapQueuesTest::turnRound);
                    frames.forEach(answers::add);
                    ports.get(1).send(answers);
                    send();
                    assertEquals(first, received(ports, new ArrayList<>()));
                }
                sockets.forEach(DatagramSocket::close);
                return null;
            });
        }
    }

    /** A device that a bridge left is taken up with as many queues as are wanted now, if it was made for several. */
    @Test
    void shouldTakeUpWhatWasLeft() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES, QUEUES).close();
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES, 2)) {
                    assertEquals(2, device.queueCount());
                }
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES, 1)) {
                    assertEquals(1, device.queueCount());
                }
                TapDevice.open("xbtap1", TapDevice.Offload.SUPER_FRAMES, 1).close();
                try (TapDevice device = TapDevice.open("xbtap1", TapDevice.Offload.SUPER_FRAMES, QUEUES)) {
                    assertEquals(1, device.queueCount(), "it was made with one");
                }
                return null;
            });
        }
    }

    @Test
    void shouldBeMadeAgainWithAllItsQueues() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (TapDevice device = TapDevice.open("xbtap0", TapDevice.Offload.SUPER_FRAMES, QUEUES)) {
                    network.ip("link delete xbtap0");
                    device.makeAgain(77);
                    network.ip("link set xbtap0 address 02:49:07:00:00:00 arp off up");
                    network.ip("addr replace 198.51.100.1/24 dev xbtap0");
                    sockets.add(new DatagramSocket(0, InetAddress.getByName("198.51.100.1")));
                    send();
                    assertEquals(1, received(ports(device), new ArrayList<>()).size());
                    assertTrue(network.ip("link show xbtap0").startsWith("77:"));
                }
                sockets.forEach(DatagramSocket::close);
                return null;
            });
        }
    }
}
