package org.xfrmbridge.stack;

import java.util.List;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Packets of nobody's, through a tunnel between databases of nobody's and out of it again, before a bridge is ready: so
 * that the first packet of a host does not wait until the JVM has found its way through the datapath. All keys are
 * zeros, and nothing leaves memory. One thread.
 */
public final class PathTrial {
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final Address THERE = Address.parse("192.0.2.2");
    private static final int LINK_BYTES = 14;
    private static final int PACKET_BYTES = 84;
    private static final int TTL = 64;
    private static final long MAC = 0x02_00_00_00_00_01L;
    private static final int SPI = 0x1001;

    private final Held fromHost = new Held();
    private final Held toNetwork = new Held();
    private final Held toHost = new Held();
    private final XfrmStack stack;

    private PathTrial(Clock clock, Placement placement) throws XfrmException {
        Databases databases = new Databases();
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
                        .build(),
                Origin.KERNEL);
        for (Direction direction : List.of(Direction.OUT, Direction.IN)) {
            engine.addPolicy(
                    PolicySpec.builder()
                            .selector(Selector.any(AddressFamily.INET))
                            .direction(direction)
                            .templates(List.of(Template.builder()
                                    .id(new StateId(THERE, 0, IpProtocol.ESP))
                                    .saddr(HERE)
                                    .family(AddressFamily.INET)
                                    .mode(Mode.TUNNEL)
                                    .build()))
                            .build(),
                    false,
                    Origin.KERNEL);
        }
    }

    /**
     * Sends packets, one after the other.
     *
     * @return how many of them came back, as ESP in between
     */
    public static int run(Clock clock, Placement placement, int packets) {
        try {
            PathTrial trial = new PathTrial(clock, placement);
            int back = 0;
            for (int i = 0; i < packets; i++) {
                back += trial.goesThrough() ? 1 : 0;
            }
            return back;
        } catch (XfrmException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean goesThrough() {
        fromHost.fill();
        stack.outbound().doWork();
        boolean isProtected = toNetwork.protocol() == IpProtocol.ESP;
        stack.inbound().doWork();
        return isProtected && toHost.takeAway();
    }

    /** A frame that is kept until somebody takes it. */
    private static final class Held {
        private final byte[] frame = new byte[4096];
        private int length;

        /** An ICMP echo. */
        void fill() {
            length = LINK_BYTES + PACKET_BYTES;
            Bytes.putI64(frame, 0, MAC << 16 | MAC >>> 32);
            Bytes.putI32(frame, 8, (int) MAC);
            Bytes.putU16(frame, Ethernet.TYPE, Ethernet.TYPE_IPV4);
            Bytes.putU16(frame, LINK_BYTES, 0x4500);
            frame[LINK_BYTES + Ipv4.TTL] = TTL;
            frame[LINK_BYTES + Ipv4.PROTOCOL] = IpProtocol.ICMP;
            Bytes.putI32(frame, LINK_BYTES + Ipv4.SOURCE, HERE.ipv4());
            Bytes.putI32(frame, LINK_BYTES + Ipv4.DESTINATION, THERE.ipv4());
            frame[LINK_BYTES + Ipv4.HEADER_BYTES] = 8;
            Ipv4.finish(frame, LINK_BYTES, PACKET_BYTES);
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

    private record TwoWays(Held from, Held to) implements PacketPort {
        @Override
        public void receive(PacketPool pool, PacketBatch into) {
            from.receive(pool, into);
        }

        @Override
        public void send(PacketBatch batch) {
            to.send(batch);
        }

        @Override
        public boolean await(int timeoutMs) {
            return true;
        }

        @Override
        public void close() {}
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
