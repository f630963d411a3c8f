package org.xfrmbridge.daemon.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.DatagramSocket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.host.KernelKeyManagers.Found;
import org.xfrmbridge.daemon.os.ClientSocket;

/** This process is the daemon: it has sockets as one has. */
@Timeout(60)
class KernelKeyManagersTest {
    @Test
    void shouldFindWhoHasSocketsOfBothKindsInOneNamespace() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            network.inHere(() -> {
                try (KernelKeyManagers managers = new KernelKeyManagers()) {
                    assertEquals(List.of(), managers.find());
                    try (DatagramSocket _ = new DatagramSocket(500)) {
                        assertEquals(List.of(), managers.find(), "a client of a bridge, or its own ESP");
                        try (ClientSocket _ = ClientSocket.netlink()) {
                            assertEquals(
                                    List.of(new Found(
                                            "java", ProcessHandle.current().pid())),
                                    managers.find());
                        }
                        assertEquals(List.of(), managers.find());
                    }
                    try (DatagramSocket _ = new DatagramSocket(501);
                            ClientSocket _ = ClientSocket.netlink()) {
                        assertEquals(List.of(), managers.find(), "ip xfrm monitor");
                    }
                    try (ClientSocket _ = ClientSocket.netlink();
                            DatagramSocket _ =
                                    TestNetwork.within(network.startInThere(() -> new DatagramSocket(500)))) {
                        assertEquals(List.of(), managers.find(), "of another namespace");
                    }
                }
                return null;
            });
        }
    }
}
