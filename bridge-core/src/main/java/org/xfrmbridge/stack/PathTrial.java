package org.xfrmbridge.stack;

import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Tcp;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Packets of nobody's, through a tunnel between databases of nobody's and out of it again: so that the first packet of
 * a host does not wait until the JVM has found its way through the datapath, nor a stream until its compiler has. All
 * keys are zeros, and nothing leaves memory. One thread.
 */
public final class PathTrial {
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final Address THERE = Address.parse("192.0.2.2");
    private static final int LINK_BYTES = 14;
    private static final int ECHO_BYTES = 84;
    private static final int SEGMENT_BYTES = 1400;
    private static final int TTL = 64;
    private static final long MAC = 0x02_00_00_00_00_01L;
    private static final int SPI = 0x1001;
    private static final int IPSEC_NAT_T = 4500;

    private final Held fromHost = new Held();
    private final Held toNetwork = new Held();
    private final Held toHost = new Held();
    private final XfrmStack stack;
    private final int protectedBy;

    private PathTrial(Clock clock, Placement placement, Encapsulation encapsulation) throws XfrmException {
        Databases databases = new Databases();
        protectedBy = encapsulation == null ? IpProtocol.ESP : IpProtocol.UDP;
        if (encapsulation != null) {
            databases
                    .sockets()
                    .setEncapsulation(
                            this,
                            0,
                            new LocalEndpoint(
                                    AddressFamily.INET, IpProtocol.UDP, encapsulation.originalAddress(), IPSEC_NAT_T),
                            encapsulation.type());
        }
        stack = new XfrmStack(
                XfrmEngine.builder(databases, clock),
                PathContext.builder(databases, new EveryAddress(), clock)
                        .placement(placement)
                        .flows(1),
                new TwoWays(fromHost, toHost),
                new TwoWays(toNetwork, toNetwork));
        XfrmEngine engine = stack.engine();
        // One State is both ends: what is sent to the other host is received here.
        engine.addState(
                StateSpec.builder()
                        .id(new StateId(THERE, SPI, IpProtocol.ESP))
                        .saddr(HERE)
                        .family(AddressFamily.INET)
                        .mode(Mode.TUNNEL)
                        .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                        .replayWindow(32)
                        .encapsulation(encapsulation)
                        .build(),
                Origin.KERNEL);
        for (Direction direction : List.of(Direction.OUT, Direction.IN)) {
            // UDP around ESP is of the same hosts, and no policy protects it.
            for (int protocol : List.of(IpProtocol.ICMP, Tcp.PROTOCOL)) {
                engine.addPolicy(policy(direction, protocol), false, Origin.KERNEL);
            }
        }
    }

    private static PolicySpec policy(Direction direction, int protocol) {
        return PolicySpec.builder()
                .selector(Selector.of(AddressFamily.INET).protocol(protocol).build())
                .direction(direction)
                .templates(List.of(Template.builder()
                        .id(new StateId(THERE, 0, IpProtocol.ESP))
                        .saddr(HERE)
                        .family(AddressFamily.INET)
                        .mode(Mode.TUNNEL)
                        .build()))
                .build();
    }

    /** By ESP over IP. */
    public static PathTrial overIp(Clock clock, Placement placement) {
        return of(clock, placement, null);
    }

    /** By ESP in UDP. */
    public static PathTrial inUdp(Clock clock, Placement placement) {
        return of(
                clock,
                placement,
                new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, IPSEC_NAT_T, IPSEC_NAT_T, Address.ANY));
    }

    private static PathTrial of(Clock clock, Placement placement, Encapsulation encapsulation) {
        try {
            return new PathTrial(clock, placement, encapsulation);
        } catch (XfrmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Sends ICMP echoes, one after the other.
     *
     * @return how many of them came back, protected in between
     */
    public int sendEchoes(int packets) {
        return send(packets, IpProtocol.ICMP, ECHO_BYTES);
    }

    /** Sends full segments of a stream of TCP instead. */
    public int sendSegments(int packets) {
        return send(packets, Tcp.PROTOCOL, SEGMENT_BYTES);
    }

    private int send(int packets, int protocol, int bytes) {
        int back = 0;
        for (int i = 0; i < packets; i++) {
            fromHost.fill(protocol, bytes);
            back += goesThrough() ? 1 : 0;
        }
        return back;
    }

    private boolean goesThrough() {
        stack.outbound().getFirst().doWork();
        boolean isProtected = toNetwork.protocol() == protectedBy;
        stack.inbound().getFirst().doWork();
        return isProtected && toHost.takeAway();
    }

    /** A frame that is kept until somebody takes it. */
    private static final class Held {
        private final byte[] frame = new byte[4096];
        private int length;

        /** An echo of ICMP, or a segment of TCP that acknowledges. */
        void fill(int protocol, int bytes) {
            length = LINK_BYTES + bytes;
            Arrays.fill(frame, (byte) 0);
            Bytes.putI64(frame, 0, MAC << 16 | MAC >>> 32);
            Bytes.putI32(frame, 8, (int) MAC);
            Bytes.putU16(frame, Ethernet.TYPE, Ethernet.TYPE_IPV4);
            Bytes.putU16(frame, LINK_BYTES, 0x4500);
            frame[LINK_BYTES + Ipv4.TTL] = TTL;
            frame[LINK_BYTES + Ipv4.PROTOCOL] = (byte) protocol;
            Bytes.putI32(frame, LINK_BYTES + Ipv4.SOURCE, HERE.ipv4());
            Bytes.putI32(frame, LINK_BYTES + Ipv4.DESTINATION, THERE.ipv4());
            Ipv4.finish(frame, LINK_BYTES, bytes);
            int payload = LINK_BYTES + Ipv4.HEADER_BYTES;
            if (protocol == Tcp.PROTOCOL) {
                frame[payload + Tcp.DATA_OFFSET] = Tcp.HEADER_BYTES << 2;
                frame[payload + Tcp.FLAGS] = Tcp.ACK;
            } else {
                frame[payload] = Icmp.ECHO;
            }
        }

        int protocol() {
            return length == 0 ? IpProtocol.ANY : frame[LINK_BYTES + Ipv4.PROTOCOL];
        }

        boolean takeAway() {
            boolean held = length > 0;
            length = 0;
            return held;
        }

        void receive(PacketPool pool, PacketBatch into) {
            if (length > 0) {
                PacketBuffer packet = pool.take();
                packet.ensureCapacity(length);
                System.arraycopy(frame, 0, packet.data, packet.offset, length);
                packet.length = length;
                length = 0;
                into.add(packet);
            }
        }

        void send(PacketBatch batch) {
            if (!batch.isEmpty()) {
                PacketBuffer packet = batch.get(0);
                length = packet.length;
                System.arraycopy(packet.data, packet.offset, frame, 0, length);
            }
        }
    }

    private record TwoWays(Held from, Held to) implements BusyPort {
        @Override
        public void receive(PacketPool pool, PacketBatch into) {
            from.receive(pool, into);
        }

        @Override
        public void send(PacketBatch batch) {
            to.send(batch);
        }
    }

    /** A host that has every address, and one neighbour. */
    private static final class EveryAddress implements HostNetwork {
        private static final int MTU_BYTES = 1500;

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
            return List.of(HERE);
        }

        @Override
        public NextHop resolve(int family, Address source, Address destination, int mark) {
            return new NextHop(MAC, MAC, MTU_BYTES);
        }

        @Override
        public int linkMtuBytes() {
            return MTU_BYTES;
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
            return HERE;
        }
    }
}
