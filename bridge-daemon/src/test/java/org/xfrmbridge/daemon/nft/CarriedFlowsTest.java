package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/** Connections that no flowtable carries stand in: few kernels have one, and all know what is confirmed. */
@Timeout(60)
class CarriedFlowsTest {
    private static final int CONFIRMED = 1 << 3;
    private static final int UDP = 17;
    private static final Level TO_PORT = new Level(Direction.OUT, AddressFamily.INET, 0, 24, true, false, true, 0);
    private static final Address NET = Address.parse("192.0.2.0");

    private TestNetwork network;
    private CarriedFlows flows;

    /** A datagram to 192.0.2.2, port 53, and a ping to 2001:db8::2. */
    @BeforeEach
    void connect() throws Exception {
        network = new TestNetwork();
        network.exec("nft add table inet other");
        network.exec("nft add chain inet other c { type filter hook output priority 0 ; }");
        network.exec("nft add rule inet other c ct state new counter");
        flows = network.inHere(() -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("192.0.2.2"), 53));
            }
            network.ping("2001:db8::2");
            return new CarriedFlows(CONFIRMED);
        });
    }

    @AfterEach
    void close() throws Exception {
        if (flows != null) {
            flows.close();
        }
        if (network != null) {
            network.close();
        }
    }

    @Test
    void shouldEndWhatIsSelectedAndNothingElse() throws Exception {
        assertEquals(0, end(new Element(TO_PORT, Address.ANY, NET, UDP, 0, 54, 0)));
        assertEquals(1, end(new Element(TO_PORT, Address.ANY, NET, UDP, 0, 53, 0)));
        assertEquals(0, end(new Element(TO_PORT, Address.ANY, NET, UDP, 0, 53, 0)));
    }

    private int end(Element element) throws Exception {
        return flows.end(List.of(element), List.of());
    }

    /** A flow has two ways, and marks are of packets. */
    @Test
    void shouldEndWhatIsSelectedTheOtherWay() throws Exception {
        Level from = new Level(Direction.FWD, AddressFamily.INET6, 128, 0, false, false, false, 5);
        assertEquals(1, end(new Element(from, Address.parse("2001:db8::2"), Address.ANY, 0, 0, 0, 1)));
    }

    @Test
    void shouldEndAllOfAFamilyThatIsForwarded() throws Exception {
        assertEquals(0, flows.end(List.of(), List.of(new WideScope(Direction.IN, AddressFamily.INET))));
        assertEquals(1, flows.end(List.of(), List.of(new WideScope(Direction.OUT, AddressFamily.INET))));
    }
}
