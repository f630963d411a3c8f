package org.xfrmbridge.daemon.attach;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.port.StackTapPort;
import org.xfrmbridge.daemon.route.Queries;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The TAP, and one thing that a kernel does with what it has opened and a TAP cannot: a neighbour's advertisement that
 * came protected, as a policy may want all of ICMPv6 to be, is meant for the interface of the neighbour, where the
 * host's stack waits for it. That is told of it by rtnetlink: a hundred times a second at most, as it costs more than
 * to open a packet, and a peer may send what it wants. Threads as of {@link PacketPort}.
 */
final class StackHostPort implements PacketPort {
    private static final Logger LOG = LoggerFactory.getLogger(StackHostPort.class);
    private static final int ICMP = Ethernet.HEADER_BYTES + Ipv6.HEADER_BYTES;
    private static final int OPTION = ICMP + Icmp.NEIGHBOUR_BYTES;
    private static final int LEAST_BYTES = OPTION + Icmp.LINK_OPTION_BYTES;
    private static final int HOP_LIMIT = 255;
    private static final int NO_MARK = 0;
    private static final int MOST_IN_PERIOD = 100;
    private static final long PERIOD_NS = TimeUnit.SECONDS.toNanos(1);

    private final StackTapPort tap;
    private final List<StackTapPort> queues;
    private final Clock clock;
    private final RouteSocket socket = new RouteSocket();
    private final Queries queries = new Queries(socket);
    private long periodNs;
    private int inPeriod;

    /** @param queues of the TAP; this receives by the first */
    StackHostPort(List<StackTapPort> queues, Clock clock) throws OsException {
        this.queues = queues;
        tap = queues.getFirst();
        this.clock = clock;
        periodNs = clock.nowNs();
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        tap.receive(pool, into);
    }

    @Override
    public void send(PacketBatch batch) {
        for (int i = 0; i < batch.size(); i++) {
            if (isAdvertisement(batch.get(i))) {
                confirm(batch.get(i));
            }
        }
        tap.send(batch);
    }

    /** With the link address as its only option, as an answer to who has no entry yet has it. */
    private static boolean isAdvertisement(PacketBuffer frame) {
        byte[] data = frame.data;
        int at = frame.offset;
        return frame.length >= LEAST_BYTES
                && Bytes.u16(data, at + Ethernet.TYPE) == Ethernet.TYPE_IPV6
                && Bytes.u8(data, at + Ethernet.HEADER_BYTES + Ipv6.NEXT_HEADER) == IpProtocol.ICMPV6
                && Bytes.u8(data, at + ICMP) == Icmp.V6_NEIGHBOUR_ADVERTISEMENT
                && Bytes.u8(data, at + Ethernet.HEADER_BYTES + Ipv6.HOP_LIMIT) == HOP_LIMIT
                && Bytes.u8(data, at + OPTION) == Icmp.TARGET_LINK_ADDRESS;
    }

    private synchronized void confirm(PacketBuffer frame) {
        if (clock.nowNs() - periodNs >= PERIOD_NS) {
            periodNs = clock.nowNs();
            inPeriod = 0;
        }
        if (++inPeriod > MOST_IN_PERIOD) {
            return;
        }
        int target = frame.offset + ICMP + Icmp.NEIGHBOUR_TARGET;
        Address neighbour = new Address(Bytes.i64(frame.data, target), Bytes.i64(frame.data, target + 8));
        try {
            Route route = queries.route(AddressFamily.INET6, Address.ANY, neighbour, NO_MARK);
            if (route != null && route.gateway() == null) {
                long mac = MacAddress.read(frame.data, frame.offset + OPTION + 2);
                queries.confirmNeighbour(route.outputIndex(), AddressFamily.INET6, neighbour, mac);
            }
        } catch (OsException e) {
            LOG.debug("the host could not be told of a neighbour: {}", e.getMessage());
        }
    }

    @Override
    public long missed() {
        return tap.missed();
    }

    @Override
    public boolean await(int timeoutMs) {
        return tap.await(timeoutMs);
    }

    /** See {@link StackTapPort#setVrfs}. */
    void setVrfs(Map<Integer, Long> macs) {
        queues.forEach(queue -> queue.setVrfs(macs));
    }

    /** Where the TAP's queues are received: this port is the first. */
    List<PacketPort> queues() {
        List<PacketPort> ports = new ArrayList<>(queues);
        ports.set(0, this);
        return ports;
    }

    /** Whether frames wait to be received at a queue. One other thread may ask. */
    boolean isReadable(int queue) {
        return queues.get(queue).isReadable();
    }

    @Override
    public void wake() {
        tap.wake();
    }

    @Override
    public void close() {
        queues.forEach(StackTapPort::close);
    }

    /** Once no thread sends any more. */
    void release() {
        socket.close();
    }
}
