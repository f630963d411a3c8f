package org.xfrmbridge.daemon.selection;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;

class EncapsulationPortsTest {
    private final SocketPolicies sockets = new SocketPolicies();
    private final List<Set<Integer>> told = new ArrayList<>();
    private final EncapsulationPorts ports = new EncapsulationPorts(sockets, told::add);

    private static LocalEndpoint at(int family, int port) {
        return new LocalEndpoint(family, IpProtocol.UDP, Address.ANY, port);
    }

    private void set(int cookie, LocalEndpoint at) {
        sockets.setEncapsulation("owner", cookie, at, Encapsulation.UDP_ENCAP_ESPINUDP);
    }

    @Test
    void shouldTellOfAPortAsLongAsASocketHasIt() {
        set(1, at(AddressFamily.INET, 4500));
        set(2, at(AddressFamily.INET6, 4500));
        assertEquals(List.of(Set.of(4500)), told);
        sockets.close("owner", 1);
        assertEquals(1, told.size());
        sockets.move("owner", 2, at(AddressFamily.INET6, 4501));
        assertEquals(Set.of(4501), ports.ports());
        sockets.closeAll("owner");
        assertEquals(Set.of(), ports.ports());
        assertEquals(Set.of(), told.getLast());
    }

    @Test
    void shouldTellOfASocketWhenItIsBound() {
        set(1, at(AddressFamily.INET, 0));
        assertEquals(List.of(), told);
        sockets.move("owner", 1, at(AddressFamily.INET, 4500));
        assertEquals(List.of(Set.of(4500)), told);
    }
}
