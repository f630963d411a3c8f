package org.xfrmbridge.daemon.host;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/** Where sockets of TCP and UDP wait that are bound to an interface. Immutable. */
final class BoundServers {
    static final BoundServers NONE = new BoundServers(LongStream.empty());

    /** Interface, protocol and port; sorted. */
    private final long[] places;

    private BoundServers(LongStream places) {
        this.places = places.sorted().toArray();
    }

    /** As the kernel has them now, and none if it does not tell. */
    static BoundServers read(SocketTable sockets) throws OsException {
        LongStream places = LongStream.empty();
        for (int protocol : List.of(IpProtocol.TCP, IpProtocol.UDP)) {
            for (int family : List.of(AddressFamily.INET, AddressFamily.INET6)) {
                LongStream these = sockets.waiting(family, protocol).stream()
                        .filter(socket -> socket.boundTo() != 0)
                        .mapToLong(socket -> place(socket.boundTo(), protocol, socket.localPort()));
                places = LongStream.concat(places, these);
            }
        }
        return new BoundServers(places);
    }

    boolean isAt(int ifindex, int protocol, int port) {
        return places.length > 0 && Arrays.binarySearch(places, place(ifindex, protocol, port)) >= 0;
    }

    private static long place(int ifindex, int protocol, int port) {
        return (long) ifindex << 32 | protocol << 16 | port;
    }
}
