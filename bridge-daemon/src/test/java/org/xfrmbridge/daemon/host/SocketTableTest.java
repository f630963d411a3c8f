package org.xfrmbridge.daemon.host;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

class SocketTableTest {
    /** For experiments, RFC 3692: no kernel has a module for its sockets. */
    private static final int NOT_TOLD = 253;

    private static SocketEntry find(SocketTable table, int protocol) throws OsException {
        Address here = Address.parse("127.0.0.1");
        return table.find(AddressFamily.INET, protocol, 0, here, 1, here, 2);
    }

    /** As UDP is where there is no udp_diag: what is not told of may be anybody's. */
    @Test
    void shouldNotTakeSilenceForThereBeingNoSocket() throws OsException {
        try (SocketTable table = new SocketTable();
                SocketDestroyEvents ends = new SocketDestroyEvents()) {
            Assumptions.assumeTrue(ends.fd() >= 0, "needs sock_diag");
            assertThrows(OsException.class, () -> find(table, NOT_TOLD));
            assertThrows(OsException.class, () -> find(table, NOT_TOLD));
            assertNull(find(table, IpProtocol.UDP));
        }
    }
}
