package org.xfrmbridge.daemon.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/** Against a real kernel's tables, in a namespace. */
@Timeout(60)
class StackNetworkTest {
    private static final int INET = AddressFamily.INET;
    private static final int NO_MARK = 0;
    private static final Address THERE = Address.parse("198.51.100.7");

    @Test
    void shouldFindWaysByWhateverInterface() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.ip("link add other type veth peer name far");
            network.ip("link set far up");
            network.ip("link set other up mtu 1300");
            network.inHere(() -> {
                try (StackNetwork kernel = new StackNetwork(ifindex -> false)) {
                    assertNull(kernel.resolve(INET, Address.ANY, THERE, NO_MARK));
                    assertEquals(0, kernel.outputIndex(INET, Address.ANY, THERE, NO_MARK));
                    int before = kernel.generation();
                    network.ip("route add 198.51.100.0/24 dev other");
                    kernel.handleEvents();
                    assertNotEquals(before, kernel.generation());
                    assertEquals(new NextHop(0, 0, 1300), kernel.resolve(INET, Address.ANY, THERE, NO_MARK));
                    network.ip("link set other mtu 1290");
                    kernel.handleEvents();
                    Address forwarded = Address.parse("203.0.113.9");
                    assertEquals(new NextHop(0, 0, 1290), kernel.resolve(INET, forwarded, THERE, NO_MARK));
                }
                return null;
            });
        }
    }

    @Test
    void shouldKnowWhichSocketsAreBoundToAnInterface() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                int index = Integer.parseInt(
                        network.ip("-o link show veth0").replaceAll(":.*", "").strip());
                try (StackNetwork kernel = new StackNetwork(ifindex -> false);
                        IpSocket socket = IpSocket.udpReceiver(INET, 4789, false)) {
                    Address here = Address.parse("192.0.2.1");
                    assertFalse(kernel.isBoundTo(index, INET, IpProtocol.UDP, here, 4789, THERE, 7));
                    kernel.lookAtSockets();
                    assertFalse(kernel.isServedAt(index, IpProtocol.UDP, 4789));
                    socket.bindTo(index);
                    assertTrue(kernel.isBoundTo(index, INET, IpProtocol.UDP, here, 4789, THERE, 7));
                    kernel.lookAtSockets();
                    assertTrue(kernel.isServedAt(index, IpProtocol.UDP, 4789));
                    assertFalse(kernel.isServedAt(index, IpProtocol.TCP, 4789));
                    assertFalse(kernel.isServedAt(index + 1, IpProtocol.UDP, 4789));
                }
                return null;
            });
        }
    }
}
