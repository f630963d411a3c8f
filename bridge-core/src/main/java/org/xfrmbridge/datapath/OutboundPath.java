package org.xfrmbridge.datapath;

import java.security.SecureRandom;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.FlowDecoder;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The way of a frame from the host to the network. In the order in which a packet meets it:
 *
 * <ol>
 *   <li>what carries no IP passes, but the host is answered if it looks for a neighbour that is behind a tunnel. What
 *       may carry IP in a form that is not read here passes as long as there are no policies. IP behind VLAN tags is IP
 *   <li>a fragment waits for the rest of its packet
 *   <li>the flow is decoded
 *   <li>one lookup in the flow cache says what becomes of the flow; what it does not know, or knows from before a
 *       change, is resolved anew: socket policy, sub-policy and policy, States of the templates, next hop
 *   <li>an ICMP error of the host's own that nothing would protect goes the way of the packet it is about, if a policy
 *       with the flag ICMP says so
 *   <li>where there are several threads, what belongs to States of another is handed over to that one
 *   <li>the packet passes, is dropped, or is protected:
 *   <li>one that would not fit is answered with ICMP and dropped, if it may not be divided
 *   <li>State after State, inside out, does its part
 *   <li>the outer packet goes to its next hop, in fragments if need be
 * </ol>
 *
 * <p>In the host's stack no neighbour is looked for. What passes is told or divided where it is too long for its way,
 * as the stack has seen another device; the stack's own packets are sent in any case, see {@link #isTooBig}.
 *
 * <p>One thread, or one of several; see {@link PacketPath}.
 */
public final class OutboundPath extends PacketPath {
    private static final int RESOLVES = 4;

    private final DatapathEvents events;
    private final HostNetwork network;
    private final FlowInterfaces interfaces;
    private final OutboundResolver resolver;
    private final FlowCache<OutboundRoute> routes;
    private final NeighbourProxy neighbours;
    private final SourceAddressCache sourceAddresses;
    private final IcmpQuote quote = new IcmpQuote();

    private final SecPath fromHost = new SecPath();
    private final PacketBatch pieces = new PacketBatch(64);
    /** Whether its socket is bound to the interface that it was about to leave by. */
    private boolean isBound;

    OutboundPath(PathContext context, PathCounters counters, PacketPool pool, Steering steering) {
        super(context, counters, pool, steering);
        events = context.events();
        network = context.network();
        interfaces = new FlowInterfaces(context);
        resolver = new OutboundResolver(context, counters, steering, identifications);
        routes = new FlowCache<>(context.flowSlots(), new SecureRandom().nextLong());
        neighbours = new NeighbourProxy(context);
        sourceAddresses = new SourceAddressCache(network);
    }

    @Override
    int flows() {
        return routes.size();
    }

    @Override
    void handle(PacketBuffer frame) {
        sight.begin(frame);
        Kind kind = packet.parse(frame);
        if (kind == Kind.OTHER || kind == Kind.ENCAPSULATED && !context.mayBeRuled(Direction.OUT)) {
            handleUnread(kind, frame);
            return;
        }
        if (kind != Kind.IP) {
            drop(DropCause.OUT_UNREADABLE);
            return;
        }
        if (packet.fragment && !reassemble()) {
            return;
        }
        if (packet.protocol == IpProtocol.ICMPV6 && !context.isInStack() && neighbours.answerSolicitation(packet)) {
            counters.add(Metric.CONSUMED, 1);
            toHost.add(packet.buffer);
            return;
        }
        FlowDecoder.decode(packet, flow);
        sight.read(packet);
        flow.mark = packet.buffer.mark;
        flow.ifindex = interfaces.shown(Direction.OUT, packet.buffer);
        OutboundRoute route = routeOfError(route(flow));
        if (route.place.thread() != steering.thread() && handOver(route.place)) {
            return;
        }
        sight.route(route);
        route.touchPolicies(steering, nowSeconds);
        isBound = route.isBound;
        if (route.cause != null) {
            drop(route.cause);
        } else if (route.bundle == null) {
            pass(route.mtu);
        } else {
            if (isBound) {
                context.bound().note(flow, nowNs);
            }
            protect(route.bundle);
        }
    }

    /** The numbers and ciphers of a State are one thread's. */
    private boolean handOver(OutboundRoute.Place place) {
        packet.buffer.cpu = place.cpu();
        boolean isTaken = steering.give(place.thread(), packet.buffer);
        counters.add(Metric.HANDED_OVER, isTaken ? 1 : 0);
        return isTaken;
    }

    /** In the host's stack there is no other end of a link that would want it. */
    private void handleUnread(Kind kind, PacketBuffer frame) {
        counters.add(Metric.NOT_IP, 1);
        if (context.isInStack()) {
            pool.give(frame);
        } else if (kind == Kind.OTHER && neighbours.answerArp(frame)) {
            toHost.add(frame);
        } else {
            toNetwork.add(frame);
        }
    }

    /** Whether the packet is whole now. */
    private boolean reassemble() {
        counters.add(Metric.FRAGMENTS, 1);
        PacketBuffer whole = reassembly.add(packet, fromHost, nowNs);
        if (whole == null) {
            return false;
        }
        Kind kind = packet.parse(whole);
        if (kind != Kind.IP) {
            drop(DropCause.OUT_FRAGMENTS_UNREADABLE);
        }
        return kind == Kind.IP;
    }

    private OutboundRoute route(Flow of) {
        counters.add(Metric.LOOKUPS, 1);
        OutboundRoute route = routes.get(of);
        if (route != null) {
            of.lowerIfindex = route.lowerIfindex;
            if (route.isFresh(context, interfaces, of, nowNs)) {
                return route;
            }
        }
        route = resolve(of, route);
        sight.resolved();
        routes.put(of, route);
        return route;
    }

    /** A State may go while a bundle is made of it, and another has come: rekeying must cost no packet. */
    private OutboundRoute resolve(Flow of, OutboundRoute before) {
        int thread = before == null ? steering.thread() : before.place.thread();
        OutboundRoute route = resolver.resolve(of, thread, nowNs);
        for (int i = 1; i < RESOLVES && route.bundle != null && !route.bundle.isFresh(); i++) {
            route = resolver.resolve(of, thread, nowNs);
        }
        counters.add(Metric.BUNDLES_MADE, route.bundle == null ? 0 : 1);
        return route;
    }

    /**
     * XFRM_LOOKUP_ICMP: an error about a packet of a tunnel's network may come from an address outside of it. The
     * host's own ones go the packet's way even if their own is blocked ({@code icmp_route_lookup}), those that it
     * forwards if they would pass ({@code xfrm_out_fwd_icmp}). They do not pass where the policy that wants them has no
     * State yet.
     */
    private OutboundRoute routeOfError(OutboundRoute route) {
        boolean unprotected =
                route.bundle == null && (route.cause == null || route.cause.reason() == DropReason.OUT_POL_BLOCK);
        if (!unprotected || !isIcmp(packet.protocol) || !isToBeRelated(route)) {
            return route;
        }
        OutboundRoute other = route(quote.reversedFlow(flow));
        return other.policies.length > 0 && other.policies[0].spec().allowsIcmpErrors() ? other : route;
    }

    private boolean isToBeRelated(OutboundRoute route) {
        return localAddresses.contains(flow.family, flow.saddrHigh, flow.saddrLow)
                ? quote.find(packet)
                : route.cause == null && quote.findFate(packet);
    }

    private static boolean isIcmp(int protocol) {
        return protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6;
    }

    private void pass(int mtu) {
        if (packet.length > mtu && !packet.mayBeFragmented() && isTooBig(mtu)) {
            dropTooLong(DropCause.OUT_CLEAR_TOO_LONG, mtu);
            return;
        }
        int longest = packet.reassembled ? Math.min(mtu, packet.buffer.longestFragment) : mtu;
        boolean inPieces = packet.reassembled || packet.length > longest;
        if (inPieces && !Fragmenter.divides(packet, longest)) {
            dropTooLong(DropCause.OUT_NOT_DIVISIBLE, longest);
            return;
        }
        counters.add(Metric.PASSED, 1);
        if (packet.buffer.origin == Origin.STACK_UNANSWERED) {
            network.forgetConnection(packet.family, flow.protocol, packet.data(), packet.offset, packet.payload);
        }
        if (sight.isWatched()) {
            sight.showOut(null, packet);
        }
        if (inPieces) {
            packet.keepLink();
            fragmenter.divide(packet, longest, toNetwork);
        } else {
            toNetwork.add(packet.buffer);
        }
    }

    private void protect(Bundle bundle) {
        int mtu = bundle.innerMtu();
        if (MssClamp.isSyn(packet) && (context.clampsMss() || isOfStack())) {
            MssClamp.limit(packet, mtu);
        }
        if (packet.length <= mtu) {
            apply(bundle);
        } else if (packet.mayBeFragmented()) {
            boolean inside = packet.reassembled && !packet.isIpv4() && bundle.startsWithOuterHeader();
            divideOrApply(bundle, inside, Math.min(mtu, packet.buffer.longestFragment));
        } else if (isTooBig(mtu)) {
            dropTooLong(DropCause.OUT_TOO_LONG, mtu);
        } else {
            divideOrApply(bundle, packet.length > leastMtu(mtu) && bundle.takesFragments(packet.family), mtu);
        }
    }

    /**
     * IPv6 that came in fragments enters a tunnel in fragments ({@code xfrm6_output}): who forwards it behind the far
     * end may not divide it. Likewise what would be too long if it were not the stack's own. All else is divided when
     * it is protected.
     */
    private void divideOrApply(Bundle bundle, boolean inside, int mtu) {
        if (!inside) {
            apply(bundle);
            return;
        }
        if (!Fragmenter.divides(packet, mtu)) {
            dropTooLong(DropCause.OUT_PIECES_IMPOSSIBLE, mtu);
            return;
        }
        packet.keepLink();
        pieces.clear();
        fragmenter.divide(packet, mtu, pieces);
        for (int i = 0; i < pieces.size(); i++) {
            packet.parse(pieces.get(i));
            apply(bundle);
        }
    }

    private void apply(Bundle bundle) {
        packet.keepLink();
        packet.makeRoom(bundle.headBytes(), bundle.tailBytes());
        // Most bundles have one step, and each has one. Jumping back for each packet has the compiler make code for the
        // middle of the loop, and then once more for the next packet.
        int i = 0;
        do {
            DropCause cause = bundle.step(i).apply(packet, events, nowSeconds);
            if (cause != null) {
                sight.at(bundle.step(i).state(), 0);
                drop(cause);
                return;
            }
            i++;
        } while (i < bundle.steps());
        send(bundle);
    }

    /**
     * Tells the sender, unless the packet is as short as every IPv6 link must take: that one goes out in fragments. So
     * does one of the stack that the datapath is in: a kernel's own sockets know how long packets may be before the
     * first is sent, and most of them let it be divided ({@code ignore_df}), which a packet does not show.
     */
    private boolean isTooBig(int mtu) {
        int limit = leastMtu(mtu);
        if (packet.length <= limit) {
            return false;
        }
        boolean ofStack = isOfStack();
        boolean told = PacketTooBig.mayBeTold(packet) && !(ofStack && isDividedBySender());
        if (told && !tellAsHost(mtu)) {
            PacketBuffer answer = pool.take();
            PacketTooBig.answer(packet, limit, answer);
            answer.ifindex = answerInterface();
            toHost.add(answer);
        }
        if (ofStack) {
            fragmenter.permit(packet);
        }
        return !ofStack;
    }

    /** By which the sender's socket takes an answer; 0 for the TAP. */
    private int answerInterface() {
        int vrf = network.vrfOf(flow.ifindex);
        return isBound && network.takesOpened(flow.ifindex) ? flow.ifindex : vrf;
    }

    /** Nobody can be told that less than this is too long. */
    private int leastMtu(int mtu) {
        return Math.max(mtu, packet.isIpv4() ? Ipv4.MIN_MTU_BYTES : Ipv6.MIN_MTU_BYTES);
    }

    private boolean isOfStack() {
        return context.isInStack() && localAddresses.contains(flow.family, flow.saddrHigh, flow.saddrLow);
    }

    /** Datagrams of IPv6, which has no bit for it: the host would divide them, did it know how long they may be. */
    private boolean isDividedBySender() {
        return !packet.isIpv4() && !IpProtocol.isSegmented(packet.protocol);
    }

    /**
     * Who sends through the host is told by the host, with its own address, what the tunnel takes ({@code icmp_send}).
     * The host itself would take neither what comes from an address of its own, nor less than every IPv6 link takes.
     */
    private boolean tellAsHost(int mtu) {
        boolean own = localAddresses.contains(flow.family, flow.saddrHigh, flow.saddrLow);
        boolean inVrf = network.vrfOf(flow.ifindex) != 0;
        Address source = own || inVrf ? null : sourceAddresses.towards(flow.family, flow.saddrHigh, flow.saddrLow);
        if (source == null) {
            return false;
        }
        PacketBuffer answer = pool.take();
        PacketTooBig.answer(packet, source, Math.max(mtu, Ipv4.MIN_MTU_BYTES), answer);
        int link = packet.linkBytes;
        boolean sent = network.sendAsHost(flow.family, answer.data, answer.offset + link, answer.length - link);
        pool.give(answer);
        return sent;
    }

    private void send(Bundle bundle) {
        boolean inPieces = packet.length > bundle.linkMtu();
        if (inPieces && !Fragmenter.divides(packet, bundle.linkMtu())) {
            dropTooLong(DropCause.OUT_NOT_DIVISIBLE, bundle.linkMtu());
            return;
        }
        counters.add(Metric.PROTECTED, 1);
        NextHop nextHop = bundle.nextHop();
        packet.buffer.mark = bundle.mark();
        packet.buffer.origin = Origin.BRIDGE;
        if (nextHop != null) {
            packet.replaceLink(nextHop.sourceMac(), nextHop.destinationMac());
            packet.buffer.ifindex = bundle.vrf();
        }
        if (sight.isWatched()) {
            sight.showOut(null, packet);
        }
        if (inPieces) {
            fragmenter.divide(packet, bundle.linkMtu(), toNetwork);
        } else {
            packet.restoreLink();
            toNetwork.add(packet.buffer);
        }
    }

    private void dropTooLong(DropCause cause, int mtu) {
        sight.tooLong(mtu);
        drop(cause);
    }

    private void drop(DropCause cause) {
        counters.drop(cause.reason());
        sight.showOut(cause, packet);
        pool.give(packet.buffer);
    }
}
