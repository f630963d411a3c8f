package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.FlowDecoder;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;

/**
 * The way of a frame from the network to the host. In the order in which a packet meets it:
 *
 * <ol>
 *   <li>what carries no IP passes; what may carry it in a form that is not read here passes as long as there are no
 *       policies. IP behind VLAN tags is IP, and to whatever link address it came: which ones are the host's may change
 *       at any moment
 *   <li>a packet to another address than the host's own is to be forwarded: the policies of dir fwd decide
 *   <li>a fragment waits for the rest of its packet
 *   <li>on an encapsulation port the UDP header is taken off; a keepalive ends here, IKE goes on
 *   <li>ESP, AH or IPComp: the State by destination and Spi, which may belong to another thread, then what
 *       {@link InboundState#open} lists, account, NAT mapping, mode header away; the State is noted in the security
 *       path, and what comes out begins again at 2. IP in IP likewise, where an IPComp tunnel sends uncompressed
 *       packets so
 *   <li>everything else: the policies of dir in compare their templates with the security path
 *   <li>the host gets the packet
 * </ol>
 *
 * <p>In the host's stack what has come through no State ends there: the stack has it already, and {@link ClearPath}
 * judges it.
 *
 * <p>One thread, or one of several; see {@link PacketPath}.
 */
public final class InboundPath extends PacketPath {
    private final DeliveryCheck check;
    private final PathMtuLearner pathMtu;
    private final ReturnMtu returnMtu;
    private final ModeInput modes = new ModeInput();
    private final DeflateCodec codec = new DeflateCodec();
    private final EncapsulationPortCache encapsulationPort;
    private final ArrivalInterface arrival;

    private final SecPath path = new SecPath();
    private final ModeInput.Opened opened = new ModeInput.Opened();
    /** What the policies said to the packet as it is now; null if they were not asked yet. */
    private PolicyCheck.Verdict verdict;

    /** IN, until it turns out to be for somebody else. */
    private Direction direction;

    /** Index of the interface that the frame at hand came by. */
    private int cameBy;

    /** What is to be done with a packet next. */
    private enum Next {
        /** It is another packet now: begin again. */
        AGAIN,
        DELIVER,
        /** It is gone: dropped, kept or eaten. */
        DONE
    }

    InboundPath(PathContext context, PathCounters counters, PacketPool pool, Steering steering) {
        super(context, counters, pool, steering);
        check = new DeliveryCheck(context, counters, steering);
        pathMtu = new PathMtuLearner(context, counters);
        encapsulationPort = new EncapsulationPortCache(context.sockets());
        arrival = new ArrivalInterface(context);
        returnMtu = new ReturnMtu(context);
    }

    /** What a packet has gone through before it came to a State of another thread, and by which interface it came. */
    private record HalfOpened(SecPath path, int cameBy) implements PacketBuffer.Progress {}

    @Override
    int flows() {
        return check.size();
    }

    @Override
    void handle(PacketBuffer frame) {
        path.clear();
        direction = Direction.IN;
        verdict = null;
        sight.begin(frame);
        cameBy = frame.ifindex;
        if (frame.progress instanceof HalfOpened half) {
            path.copyFrom(half.path);
            cameBy = half.cameBy;
            frame.progress = null;
        }
        switch (packet.parse(frame)) {
            case MALFORMED -> drop(DropCause.IN_UNREADABLE);
            case OTHER -> passUnread();
            case ENCAPSULATED -> handleEncapsulated();
            case IP -> {
                packet.keepLink();
                receive();
            }
        }
    }

    /** A policy cannot be asked about what cannot be read: where there is one, it does not pass. */
    private void handleEncapsulated() {
        if (context.mayBeRuled(Direction.IN) || context.mayBeRuled(Direction.FWD)) {
            drop(DropCause.IN_UNREADABLE);
        } else {
            passUnread();
        }
    }

    private void passUnread() {
        counters.add(Metric.NOT_IP, 1);
        if (context.isInStack()) {
            pool.give(packet.buffer);
        } else {
            toHost.add(packet.buffer);
        }
    }

    /** One turn for each header that is taken away. */
    private void receive() {
        Next next = Next.AGAIN;
        while (next == Next.AGAIN) {
            verdict = null;
            FlowDecoder.decode(packet, flow);
            sight.read(packet);
            flow.mark = packet.buffer.mark;
            if (!localAddresses.contains(flow.family, flow.daddrHigh, flow.daddrLow)) {
                deliver(Direction.FWD);
                return;
            }
            next = packet.fragment ? reassemble() : demultiplex();
        }
        if (next == Next.DELIVER) {
            deliver(Direction.IN);
        }
    }

    private Next reassemble() {
        counters.add(Metric.FRAGMENTS, 1);
        PacketBuffer whole = reassembly.add(packet, path, nowNs);
        if (whole == null) {
            return Next.DONE;
        }
        if (packet.parse(whole) != Kind.IP) {
            return drop(DropCause.IN_FRAGMENTS_UNREADABLE);
        }
        return Next.AGAIN;
    }

    private Next demultiplex() {
        return switch (packet.protocol) {
            case IpProtocol.ESP, IpProtocol.AH, IpProtocol.COMP -> decapsulate(packet.protocol);
            case IpProtocol.UDP -> demultiplexUdp();
            case IpProtocol.IPIP, IpProtocol.IPV6 -> decapsulateBare();
            case IpProtocol.ICMP, IpProtocol.ICMPV6 -> {
                if (path.isEmpty()) {
                    pathMtu.read(packet, nowNs);
                }
                yield Next.DELIVER;
            }
            default -> Next.DELIVER;
        };
    }

    private Next decapsulate(int protocol) {
        if (packet.payloadBytes() < SecurityHeader.leastBytes(protocol)) {
            return drop(DropCause.IN_CUT_SHORT);
        }
        State state = find(protocol, SecurityHeader.spi(protocol, packet.data(), packet.payload));
        return decapsulate(state, 0, packet.payload, packet.payloadBytes());
    }

    /**
     * What an IPComp tunnel sent uncompressed; other IP in IP is the host's own. A kernel has one State for both inner
     * families.
     */
    private Next decapsulateBare() {
        int protocol = packet.isIpv4() ? IpProtocol.IPIP : IpProtocol.IPV6;
        counters.add(Metric.LOOKUPS, 1);
        State state = context.sad().lookupByAddress(flow.daddr(), flow.saddr(), protocol, flow.family, flow.mark);
        return state == null ? Next.DELIVER : decapsulate(state, 0, packet.payload, packet.payloadBytes());
    }

    /** The socket's policy is asked before what it wants taken off: a kernel does the same. */
    private Next demultiplexUdp() {
        int contentAt = packet.payload + Udp.HEADER_BYTES;
        int udpBytes =
                packet.payloadBytes() < Udp.HEADER_BYTES ? 0 : Bytes.u16(packet.data(), packet.payload + Udp.LENGTH);
        int contentBytes = udpBytes > packet.payloadBytes() ? -1 : udpBytes - Udp.HEADER_BYTES;
        UdpEncapsulation.Content content = contentBytes < 0
                ? UdpEncapsulation.Content.OTHER
                : UdpEncapsulation.content(packet.data(), contentAt, contentBytes);
        // The State most likely remembers what the policies said to this outer flow: then the question to the Sad is
        // the only one.
        boolean expected = content == UdpEncapsulation.Content.ESP && encapsulationPort.isKnown(flow);
        State state = expected ? find(IpProtocol.ESP, Bytes.i32(packet.data(), contentAt)) : null;
        if (state != null && steering.inboundThread(state, path) != steering.thread()) {
            return handOver(state);
        }
        verdict = judge(Direction.IN, state);
        if (verdict.cause() != null || verdict.encapsulationType() != Encapsulation.UDP_ENCAP_ESPINUDP) {
            return Next.DELIVER;
        }
        encapsulationPort.note(flow);
        return switch (content) {
            case ESP -> {
                State named = expected ? state : find(IpProtocol.ESP, Bytes.i32(packet.data(), contentAt));
                yield decapsulate(named, verdict.encapsulationType(), contentAt, contentBytes);
            }
            case KEEPALIVE -> consume();
            case OTHER -> Next.DELIVER;
        };
    }

    private PolicyCheck.Verdict judge(Direction direction, State named) {
        return check.judge(direction, packet, flow, path, named, nowSeconds);
    }

    private State find(int protocol, int spi) {
        counters.add(Metric.LOOKUPS, 1);
        return context.sad().lookup(flow.daddrHigh, flow.daddrLow, spi, protocol, flow.family, flow.mark);
    }

    /** One State's part. */
    private Next decapsulate(State state, int encapsulationType, int at, int bytes) {
        if (path.isFull()) {
            return drop(DropCause.IN_TOO_DEEP);
        }
        if (state == null) {
            int protocol = encapsulationType == 0 ? packet.protocol : IpProtocol.ESP;
            sight.names(protocol, SecurityHeader.spi(protocol, packet.data(), at), encapsulationType != 0);
            return drop(DropCause.IN_UNKNOWN_SPI);
        }
        if (steering.inboundThread(state, path) != steering.thread()) {
            return handOver(state);
        }
        DropCause cause = InboundState.admits(state);
        if (cause != null) {
            return dropAt(state, 0, cause);
        }
        if (state.inbound() == null && !context.inboundMemory().getAsBoolean()) {
            return dropAt(state, 0, DropCause.IN_NO_MEMORY);
        }
        opened.headerBytes = packet.payload - packet.offset;
        packet.payload = at;
        packet.length = at + bytes - packet.offset;
        InboundState sa = InboundState.of(state, codec);
        cause = sa.open(packet, encapsulationType, opened, context.events());
        if (cause != null) {
            sight.names(0, 0, encapsulationType != 0);
            return dropAt(state, opened.sequence, cause);
        }
        sa.account(opened.payloadBytes, nowSeconds);
        if (encapsulationType != 0) {
            sa.noteMapping(packet, flow.sport, context.events(), sight);
        }
        if (!modes.strip(packet, opened, state.spec())) {
            return dropAt(state, opened.sequence, DropCause.IN_MODE_DIFFERS);
        }
        if (encapsulationType != 0 && state.spec().mode() == Mode.TRANSPORT) {
            TransportChecksum.renew(packet);
        }
        packet.reassembled = false;
        packet.buffer.longestFragment = 0;
        packet.buffer.mark = state.spec().markOf(packet.buffer.mark);
        // Which way it goes on is for the host's routes to say, or for those of the VRF that it came in by.
        packet.buffer.ifindex = context.network().vrfOf(packet.buffer.ifindex);
        path.add(state, opened.sequence);
        return Next.AGAIN;
    }

    /** The window and ciphers of a State are one thread's. */
    private Next handOver(State state) {
        PacketBuffer frame = packet.buffer;
        if (!path.isEmpty()) {
            SecPath soFar = new SecPath();
            soFar.copyFrom(path);
            packet.restoreLink();
            frame.progress = new HalfOpened(soFar, cameBy);
        }
        if (!steering.give(steering.inboundThread(state, path), frame)) {
            return dropAt(state, 0, DropCause.IN_BACKLOG_FULL);
        }
        counters.add(Metric.HANDED_OVER, 1);
        return Next.DONE;
    }

    private Next consume() {
        counters.add(Metric.CONSUMED, 1);
        pool.give(packet.buffer);
        return Next.DONE;
    }

    private void deliver(Direction where) {
        direction = where;
        if (path.isEmpty() && context.isInStack()) {
            if (direction == Direction.FWD || packet.protocol != IpProtocol.UDP) {
                consume();
                return;
            }
            // Taken out of the stack for its port, but the socket that it is for opens no ESP: it gets it as it came.
            TransportChecksum.supply(packet);
            packet.buffer.ifindex = context.network().vrfOf(packet.buffer.ifindex);
        }
        if (verdict == null) {
            verdict = judge(direction, null);
        }
        DropCause cause = check.cause(packet, flow, path, verdict, nowSeconds);
        if (cause != null) {
            drop(cause);
            return;
        }
        if (direction == Direction.FWD && packet.buffer.ifindex != 0 && context.isInStack()) {
            // By the device of a VRF it would leave past the host's rules for what is forwarded.
            drop(DropCause.FWD_INTO_VRF);
            return;
        }
        boolean toStack = context.isInStack() && direction == Direction.IN;
        if (!path.isEmpty() && (context.clampsMss() || toStack) && MssClamp.isSyn(packet)) {
            MssClamp.limit(packet, returnMtu.of(path, packet.family, nowNs));
        }
        if (toStack && !path.isEmpty() && packet.buffer.ifindex == 0) {
            packet.buffer.ifindex = arrival.of(flow, cameBy, nowNs);
        }
        int longest = packet.buffer.longestFragment;
        if (packet.reassembled && !Fragmenter.divides(packet, longest)) {
            drop(DropCause.IN_NOT_DIVISIBLE);
            return;
        }
        counters.add(path.isEmpty() ? Metric.PASSED : Metric.PROTECTED, 1);
        if (sight.isWatched()) {
            sight.showIn(direction, null, path, verdict, check.hasDecided(), packet);
        }
        if (packet.reassembled) {
            fragmenter.divide(packet, longest, toHost);
            return;
        }
        if (!path.isEmpty()) {
            packet.restoreLink();
        }
        toHost.add(packet.buffer);
    }

    /** @param number of the packet at that State, 0 for none */
    private Next dropAt(State state, long number, DropCause cause) {
        verdict = null;
        sight.at(state, number);
        return drop(cause);
    }

    private Next drop(DropCause cause) {
        counters.drop(cause.reason());
        sight.showIn(direction, cause, path, verdict, check.hasDecided(), packet);
        pool.give(packet.buffer);
        return Next.DONE;
    }
}
