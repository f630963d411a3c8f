package org.xfrmbridge.daemon.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.PacketSocket;

/** In a namespace: neighbours have the addresses that say by which device a frame is to come in. */
@Timeout(60)
class ArrivalFiltersTest {
    private static final int PREFIX = 0x024f;

    private static String mac(int index) {
        byte[] bytes = ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(index)
                .array();
        return "02:4f:" + HexFormat.ofDelimiter(":").formatHex(bytes);
    }

    /** How many pings to an address come in by a device. */
    private static int arrivals(TestNetwork network, String device, String address) throws Exception {
        try (PacketSocket socket = new PacketSocket(device)) {
            network.ping(address);
            int pings = 0;
            for (byte[] frame = socket.poll(); frame != null; frame = socket.poll()) {
                pings += frame[0] == 2 && frame[12] == 8 && frame[23] == 1 ? 1 : 0;
            }
            return pings;
        }
    }

    @Test
    void shouldHaveFramesComeInByTheDeviceThatTheirAddressTells() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("link add first type veth peer name far");
            network.ip("link add second type veth peer name farther");
            for (String name : Set.of("first", "far", "second", "farther")) {
                network.ip("link set up dev " + name);
            }
            network.inHere(() -> {
                try (RouteSocket socket = new RouteSocket()) {
                    Links links = new Links(socket);
                    int sender = links.find("veth0").index();
                    int first = links.find("first").index();
                    int second = links.find("second").index();
                    network.ip("neigh add 192.0.2.7 dev veth0 lladdr " + mac(first));
                    network.ip("neigh add 192.0.2.8 dev veth0 lladdr " + mac(second));
                    ArrivalFilters filters = new ArrivalFilters(socket, PREFIX);
                    assertEquals(Set.of(), filters.of(sender));
                    filters.replace(sender, Set.of(first, second));
                    assertEquals(Set.of(first, second), filters.of(sender));
                    assertEquals(1, arrivals(network, "first", "192.0.2.7"));
                    assertEquals(1, arrivals(network, "second", "192.0.2.8"));
                    filters.replace(sender, Set.of(second));
                    assertEquals(0, arrivals(network, "first", "192.0.2.7"));
                    filters.add(sender, first);
                    assertEquals(Set.of(first, second), filters.of(sender));
                    assertEquals(1, arrivals(network, "first", "192.0.2.7"));
                    assertTrue(network.ping("192.0.2.2"), "all others go on");
                }
                return null;
            });
        }
    }
}
