package org.xfrmbridge.datapath;

import com.google.common.base.Preconditions;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/**
 * What both directions of a datapath share: the databases they ask, the host they serve and whom they tell.
 *
 * @param packets what is shown of packets
 * @param bound flows of sockets that are bound to an interface
 * @param placement where on a packet's way the datapath stands
 * @param clampsMss whether TCP connections that are forwarded through a tunnel are told how much fits into it; those of
 *     the stack that the datapath is in always are
 * @param ifindex what packets carry as interface when a selector names one
 * @param flows how many are remembered in each direction, rounded up to a power of two; at least 1
 * @param outboundMemory whether there is memory: asked by the outbound thread before it makes what a State keeps from
 *     its first packet on
 * @param inboundMemory the same for the inbound thread
 */
public record PathContext(
        Sad sad,
        Spd spd,
        SocketPolicies sockets,
        HostNetwork network,
        DatapathEvents events,
        PathMtu pathMtu,
        PacketLog packets,
        BoundFlows bound,
        Clock clock,
        Placement placement,
        boolean clampsMss,
        int ifindex,
        int flows,
        BooleanSupplier outboundMemory,
        BooleanSupplier inboundMemory) {
    public static final int DEFAULT_FLOWS = 1 << 16;

    /** Where on a packet's way the datapath stands. */
    public enum Placement {
        /** Between the host and one link: it sees every frame, the host none but those it is given. */
        IN_WIRE,
        /**
         * Inside the host's stack, which gives it what policies may mean, has routed that, and routes what comes back.
         * Packets in the clear have not left the stack ({@link ClearPath}).
         */
        IN_STACK
    }

    /** The same databases and host for somebody who asks what would be: nobody is told of anything. */
    PathContext asking() {
        return new PathContext(
                sad,
                spd,
                sockets,
                network,
                new NobodyTold(),
                pathMtu,
                packets,
                bound,
                clock,
                placement,
                clampsMss,
                ifindex,
                1,
                outboundMemory,
                inboundMemory);
    }

    private static final class NobodyTold implements DatapathEvents {
        @Override
        public boolean acquire(
                Policy policy, Template template, Flow flow, Address daddr, Address saddr, ToIntFunction<Flow> device) {
            return true;
        }

        @Override
        public void limitReached(State state) {}

        @Override
        public void mappingChanged(State state, Address newSaddr, int newSport) {}

        @Override
        public boolean hearsReplay() {
            return false;
        }

        @Override
        public void replayAdvanced(State state) {}
    }

    public PathContext {
        Preconditions.checkArgument(flows > 0, "flows: %s", flows);
    }

    boolean isInStack() {
        return placement == Placement.IN_STACK;
    }

    /** Of a {@link org.xfrmbridge.db.FlowCache}: twice as many as flows, so that all of these find one. */
    int flowSlots() {
        return 2 * flows;
    }

    /** Whether a packet of that direction could fall under any policy, of which no more is known than that. */
    boolean mayBeRuled(Direction direction) {
        return !spd.isEmpty(direction)
                || spd.socketCount(direction) > 0
                || spd.defaultAction(direction) == PolicySpec.Action.BLOCK;
    }

    public static Builder builder(Databases databases, HostNetwork network, Clock clock) {
        return new Builder(databases, network, clock);
    }

    /**
     * In the wire, with no interface, as many flows as is usual, and all the memory there is, unless it is told
     * otherwise.
     */
    public static final class Builder {
        private final Databases databases;
        private final HostNetwork network;
        private final Clock clock;
        private Placement placement = Placement.IN_WIRE;
        private boolean clampsMss;
        private int ifindex;
        private int flows = DEFAULT_FLOWS;
        private BooleanSupplier outboundMemory = () -> true;
        private BooleanSupplier inboundMemory = () -> true;

        private Builder(Databases databases, HostNetwork network, Clock clock) {
            this.databases = databases;
            this.network = network;
            this.clock = clock;
        }

        /** See {@link PathContext#placement}. */
        public Builder placement(Placement where) {
            placement = where;
            return this;
        }

        /** See {@link PathContext#placement}. */
        public Placement placement() {
            return placement;
        }

        /** See {@link PathContext#clampsMss}. */
        public Builder clampMss(boolean clamp) {
            clampsMss = clamp;
            return this;
        }

        /** See {@link PathContext#ifindex}. */
        public Builder ifindex(int index) {
            ifindex = index;
            return this;
        }

        /** See {@link PathContext#flows}. */
        public Builder flows(int number) {
            flows = number;
            return this;
        }

        /** See {@link PathContext#outboundMemory} and {@link PathContext#inboundMemory}. */
        public Builder memory(BooleanSupplier outbound, BooleanSupplier inbound) {
            outboundMemory = outbound;
            inboundMemory = inbound;
            return this;
        }

        /** See {@link PathContext#network}. */
        public HostNetwork network() {
            return network;
        }

        /** @param events who is told */
        public PathContext build(DatapathEvents events) {
            return new PathContext(
                    databases.sad(),
                    databases.spd(),
                    databases.sockets(),
                    network,
                    events,
                    new PathMtu(),
                    new PacketLog(),
                    new BoundFlows(),
                    clock,
                    placement,
                    clampsMss,
                    ifindex,
                    flows,
                    outboundMemory,
                    inboundMemory);
        }
    }
}
