package org.xfrmbridge.daemon.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

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
                try (StackNetwork kernel = new StackNetwork()) {
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
}
