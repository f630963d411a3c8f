package org.xfrmbridge.bench;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.Inbound;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathMtu;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;

/**
 * A whole bridge without sockets: databases, control side, both directions of the datapath. What it sends it also
 * receives, as every address is its own: so that one set of States serves both ends of a tunnel. One thread for
 * control, one for packets.
 */
final class LoopbackBridge {
    private static final long HOST_MAC = 0x020000000001L;

    final Sad sad = new Sad();
    final Spd spd = new Spd();
    final XfrmStats stats = new XfrmStats();
    final XfrmEngine engine;

    private final OneFramePort fromHost = new OneFramePort();
    private final OneFramePort toNetwork = new OneFramePort();
    private final OneFramePort fromNetwork = new OneFramePort();
    private final OneFramePort toHost = new OneFramePort();
    private final Outbound outbound;
    private final Inbound inbound;

    LoopbackBridge() {
        MachineClock clock = new MachineClock();
        engine = new XfrmEngine(sad, spd, clock, new SplittableRandom(1), () -> {});
        PathContext context =
                new PathContext(sad, spd, new SocketPolicies(spd), new EveryAddress(), engine, new PathMtu(), clock, 0);
        outbound = new Outbound(context, stats, fromHost, toNetwork);
        inbound = new Inbound(context, stats, fromNetwork, toHost);
    }

    /** What the daemon's loop does between requests. Control thread. */
    void turn() {
        engine.drainEvents();
        engine.runTimers();
    }

    /** Puts a packet where {@link #send} finds it. Packet thread, as all below. */
    void offer(Flow flow, int packetBytes) {
        fromHost.offer(flow, packetBytes, HOST_MAC);
        toNetwork.empty();
    }

    void send() {
        outbound.doWork();
    }

    /** Whether what left is protected, and lies where {@link #receive} finds it. */
    boolean turnRound() {
        toHost.empty();
        if (!fromNetwork.offer(toNetwork)) {
            return false;
        }
        int protocol = fromNetwork.protocol();
        return protocol == IpProtocol.ESP || protocol == IpProtocol.AH || protocol == IpProtocol.COMP;
    }

    /** Asks the policies, as the first packet of a flow does. */
    Policy lookUpPolicy(Flow flow) {
        return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
    }

    /** Finds the State of what {@link #receive} finds next. */
    State lookUpState() {
        return sad.lookup(
                fromNetwork.destination(), 0, fromNetwork.spi(), fromNetwork.protocol(), AddressFamily.INET, 0);
    }

    void receive() {
        inbound.doWork();
    }

    /** Drops by reason, empty without any. Any thread. */
    String drops() {
        return Arrays.stream(DropReason.values())
                .filter(reason -> stats.drops(reason) > 0)
                .map(reason -> reason.label() + " " + stats.drops(reason))
                .collect(Collectors.joining(", "));
    }

    private record EveryAddress() implements HostNetwork {
        @Override
        public int generation() {
            return 0;
        }

        @Override
        public boolean isLocal(int family, long high, long low) {
            return true;
        }

        @Override
        public List<Address> localAddresses(int family) {
            return List.of(Address.ofIpv4(Loads.HERE));
        }

        @Override
        public NextHop resolve(int family, Address source, Address destination, int mark) {
            return new NextHop(HOST_MAC, HOST_MAC, 1500);
        }

        @Override
        public int linkMtuBytes() {
            return 1500;
        }

        @Override
        public boolean isNextHop(int family, Address address) {
            return false;
        }

        @Override
        public boolean isOnSubnet(int family, Address address) {
            return true;
        }

        @Override
        public Address sourceFor(int family, Address destination) {
            return Address.ofIpv4(Loads.HERE);
        }
    }
}
