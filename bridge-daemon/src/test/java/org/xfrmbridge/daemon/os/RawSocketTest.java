package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;

@Timeout(60)
class RawSocketTest {
    /** From 192.0.2.1 and 2001:db8::1 to the other end, of protocol 253, with eight bytes. */
    private static final String IPV4 = "4500001c0001000040fd0000c0000201c00002020102030405060708";

    private static final String IPV6 =
            "600000000008fd4020010db800000000000000000000000120010db80000000000000000000000020102030405060708";

    @Test
    void shouldSendByTheHostsRoutes() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                assertSends(2, HexFormat.of().parseHex(IPV4), "192.0.2.2", network);
                assertSends(10, HexFormat.of().parseHex(IPV6), "2001:db8::2", network);
                return null;
            });
        }
    }

    private static void assertSends(int family, byte[] packet, String peer, TestNetwork network) throws Exception {
        assertTrue(network.ping(peer), "the neighbour is known");
        byte[] shifted = new byte[3 + packet.length];
        System.arraycopy(packet, 0, shifted, 3, packet.length);
        try (PacketSocket wire = new PacketSocket("veth0");
                RawSocket socket = new RawSocket(family)) {
            assertTrue(socket.send(shifted, 3, packet.length));
            int seen = 0;
            for (byte[] frame = wire.poll(); frame != null; frame = wire.poll()) {
                seen += frame[family == 2 ? 23 : 20] == (byte) 253 ? 1 : 0;
            }
            assertEquals(1, seen);
            shifted[3 + (family == 2 ? 16 : 24)] = (byte) 0x3f;
            assertFalse(socket.send(shifted, 3, packet.length), "no route");
        }
    }
}
