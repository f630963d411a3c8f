package org.xfrmbridge.bench;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.stack.XfrmStack;
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

    final Databases databases = new Databases();
    final XfrmStats stats;
    final XfrmEngine engine;

    private final OneFramePort fromHost = new OneFramePort();
    private final OneFramePort toNetwork = new OneFramePort();
    private final OneFramePort fromNetwork = new OneFramePort();
    private final OneFramePort toHost = new OneFramePort();
    private final XfrmStack stack;

    LoopbackBridge() {
        MachineClock clock = new MachineClock();
        stack = new XfrmStack(
                XfrmEngine.builder(databases, clock).random(new SplittableRandom(1)),
                PathContext.builder(databases, new EveryAddress(), clock),
                new TwoWays(fromHost, toHost),
                new TwoWays(fromNetwork, toNetwork));
        stats = stack.stats();
        engine = stack.engine();
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
        stack.outbound().getFirst().doWork();
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
        return databases.spd().lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
    }

    /** Finds the State of what {@link #receive} finds next. */
    State lookUpState() {
        return databases
                .sad()
                .lookup(fromNetwork.destination(), 0, fromNetwork.spi(), fromNetwork.protocol(), AddressFamily.INET, 0);
    }

    void receive() {
        stack.inbound().getFirst().doWork();
    }

    /** Drops by reason, empty without any. Any thread. */
    String drops() {
        return Arrays.stream(DropReason.values())
                .filter(reason -> stats.drops(reason) > 0)
                .map(reason -> reason.label() + " " + stats.drops(reason))
                .collect(Collectors.joining(", "));
    }

    /** One port of a host, whose packets lie where they are put and found. */
    private record TwoWays(OneFramePort from, OneFramePort to) implements BusyPort {
        @Override
        public void receive(PacketPool pool, PacketBatch into) {
            from.receive(pool, into);
        }

        @Override
        public void send(PacketBatch batch) {
            to.send(batch);
        }
    }

    /** Every address is its own. */
    private static final class EveryAddress extends OneLink {
        EveryAddress() {
            super(Address.ofIpv4(TransportEntries.HERE), new NextHop(HOST_MAC, HOST_MAC, MTU_BYTES));
        }

        @Override
        public boolean isLocal(int family, long high, long low) {
            return true;
        }
    }
}
