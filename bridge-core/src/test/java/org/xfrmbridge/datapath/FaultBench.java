package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.FaultyEsp;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * One path with packets of every kind, and ways to make it fail. What a run yields is told by the names of the packets
 * that come out, sealed ones opened at the other end: "network tunnel", "host cbc large".
 */
final class FaultBench {
    static final int NONE = -1;

    private static final String[] OUTER = {"192.0.2.1", "192.0.2.2"};
    private static final int FIRST_PORT = 1000;

    final PathCounters counters = new PathCounters();

    private final TestHost left = new TestHost(OUTER[0], "10.1.0.1", "fd01::1");
    private final TestHost right = new TestHost(OUTER[1], "fd02::2");
    private final boolean out;
    private final List<String> names = new ArrayList<>();
    /** As the left host's stack sends them. */
    private final List<List<byte[]>> inputs = new ArrayList<>();

    private final PacketPool pool = new PacketPool(1024);
    private final PacketBatch in = new PacketBatch(64);
    private final PacketBatch toNetwork = new PacketBatch(64);
    private final PacketBatch toHost = new PacketBatch(64);
    private final OutboundPath outbound;
    private final InboundPath inbound;
    private int calls;
    private int trip = NONE;
    private int kind;

    FaultBench(FaultTest.Way way) {
        out = way == FaultTest.Way.OUT;
        left.hearsReplay = true;
        right.hearsReplay = true;
        protect(1, "10.1.0.0/16", "10.2.0.0/16", IpProtocol.ESP, () -> Sas.state(spec(1)));
        protect(1, "fd01::/16", "fd02::/16", IpProtocol.ESP, null);
        protect(2, "10.1.0.0/16", "10.3.0.0/16", IpProtocol.ESP, () -> Sas.state(spec(2), Sas.Cipher.CBC_SHA256));
        protect(3, "10.1.0.0/16", "10.4.0.0/16", IpProtocol.AH, () -> Sas.ah(spec(3), "hmac(sha256)"));
        protect(4, "10.1.0.0/16", "10.5.0.0/16", IpProtocol.COMP, () -> Sas.comp(spec(4)));
        protect(5, "10.1.0.0/16", "10.6.0.0/16", IpProtocol.ESP, () -> Sas.state(inUdp(spec(5))));
        protect(6, "10.1.0.0/16", "10.7.0.0/16", IpProtocol.ESP, null);
        for (int net = 2; net < 10; net++) {
            right.network.addLocal("10." + net + ".0.2");
        }
        var port = new SocketPolicies.LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 4500);
        right.sockets.setEncapsulation("test", 1, port, Encapsulation.UDP_ENCAP_ESPINUDP);
        TestHost host = out ? left : right;
        Direction direction = out ? Direction.OUT : Direction.IN;
        host.policy(direction, Sas.between("0.0.0.0/0", "10.8.0.0/16"), PolicySpec.Action.BLOCK, 1);
        addInputs();
        PathContext context = PathContext.builder(host.databases, tripping(HostNetwork.class, host.network), host.clock)
                .build(tripping(DatapathEvents.class, host));
        outbound = out ? new OutboundPath(context, counters, pool, Steering.ALONE) : null;
        inbound = out ? null : new InboundPath(context, counters, pool, Steering.ALONE);
    }

    private void protect(int reqid, String from, String to, int protocol, Supplier<State> states) {
        var template = Sas.of(protocol, Sas.template(Mode.TUNNEL, OUTER[0], OUTER[1], reqid, false));
        left.policy(Direction.OUT, Sas.between(from, to), template);
        right.policy(Direction.IN, Sas.between(from, to), template);
        if (states != null) {
            left.sad.insert(states.get());
            right.sad.insert(states.get());
        }
    }

    private static StateSpecBuilder spec(int reqid) {
        return Sas.spec(Mode.TUNNEL, OUTER[0], OUTER[1], 0x100 + reqid).reqid(reqid);
    }

    private static StateSpecBuilder inUdp(StateSpecBuilder spec) {
        spec.encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
        return spec;
    }

    private void addInputs() {
        add("clear", "10.1.0.1", "10.9.0.2", 100);
        add("tunnel", "10.1.0.1", "10.2.0.2", 100);
        add("cbc", "10.1.0.1", "10.3.0.2", 100);
        add("tunnel fragments", "10.1.0.1", "10.2.0.2", 3000);
        add("blocked", "10.1.0.1", "10.8.0.2", 100);
        add("ah", "10.1.0.1", "10.4.0.2", 100);
        add("tunnel six", "fd01::1", "fd02::2", 3000);
        add("comp", "10.1.0.1", "10.5.0.2", 600);
        add("clear fragments", "10.1.0.1", "10.9.0.2", 2000);
        add("udp", "10.1.0.1", "10.6.0.2", 100);
        names.add("arp");
        inputs.add(List.of(arp()));
        if (out) {
            add("acquire", "10.1.0.1", "10.7.0.2", 100);
            names.add("cbc large");
            inputs.add(
                    List.of(frames("10.1.0.1", "10.3.0.2", 1400).dontFragment().frame()));
        }
        add("last", "10.1.0.1", "10.9.0.2", 50);
    }

    private void add(String name, String from, String to, int payloadBytes) {
        names.add(name);
        byte[] frame = frames(from, to, payloadBytes).frame();
        inputs.add(frame.length > 1514 ? ReassemblyTest.fragments(frame, 1500) : List.of(frame));
    }

    private Frames frames(String from, String to, int payloadBytes) {
        Frames frames = Frames.udp(from, to).bytes(payloadBytes);
        frames.sport = FIRST_PORT + inputs.size();
        frames.id = 1 + inputs.size();
        return frames;
    }

    private static byte[] arp() {
        byte[] frame = new byte[42];
        Bytes.putU16(frame, Ethernet.TYPE, Ethernet.TYPE_ARP);
        Bytes.putI64(frame, Ethernet.HEADER_BYTES, 0x0001_0800_0604_0001L);
        Bytes.putI32(frame, Ethernet.HEADER_BYTES + 14, 0x0a01_0001);
        Bytes.putI32(frame, Ethernet.HEADER_BYTES + 24, 0x0a01_0009);
        return frame;
    }

    /** All calls to an interface pass by here, where the chosen one fails. */
    private <T> T tripping(Class<T> type, T real) {
        Class<?>[] types = {type};
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), types, (proxy, method, arguments) -> {
            if (calls++ == trip) {
                throw switch (kind) {
                    case 0 -> new IllegalStateException("a fault");
                    case 1 -> new OutOfMemoryError("a fault");
                    default -> new StackOverflowError("a fault");
                };
            }
            try {
                return method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }

    /** Lets one call fail, counted over all runs. */
    void trip(int call, int kindOfFault) {
        trip = call;
        kind = kindOfFault;
    }

    boolean hasTripped() {
        return calls > trip;
    }

    long faults() {
        return counters.get(DropReason.FAULT);
    }

    State tunnelState() {
        TestHost host = out ? left : right;
        long high = Address.parse(OUTER[1]).high();
        return host.sad.lookup(high, 0, 0x101, IpProtocol.ESP, AddressFamily.INET, 0);
    }

    /** A State whose algorithms cannot be set up takes the place of the tunnel's. */
    void breakTunnel() {
        State sound = tunnelState();
        TestHost host = out ? left : right;
        host.sad.remove(sound);
        host.sad.insert(new State(sound.spec(), State.Phase.VALID, new Usage(1), spec -> {
            throw new StackOverflowError("a fault");
        }));
    }

    /** The tunnel's cipher fails with every packet. */
    void breakCipher() {
        State state = tunnelState();
        state.setOutbound(FaultyEsp.whoseCipherThrows((EspSuite) state.suite(), new OutOfMemoryError("a fault")));
    }

    /** All packets once, in one batch. */
    TreeMap<String, Integer> run() {
        return run(NONE, 0);
    }

    /** The same with one frame in a buffer that ends too early. */
    TreeMap<String, Integer> run(int poisoned, int bytes) {
        // Whatever waits for more fragments has waited long enough.
        left.clock.advanceSeconds(40);
        right.clock.advanceSeconds(40);
        List<byte[]> frames = frames();
        for (int i = 0; i < frames.size(); i++) {
            PacketBuffer buffer = pool.take();
            byte[] frame = frames.get(i);
            buffer.ensureCapacity(frame.length);
            System.arraycopy(frame, 0, buffer.data, buffer.offset, frame.length);
            buffer.length = frame.length;
            buffer.data = i == poisoned ? Arrays.copyOf(buffer.data, buffer.offset + bytes) : buffer.data;
            in.add(buffer);
        }
        try {
            if (out) {
                outbound.run(new PacketBatch(1), in, toNetwork, toHost);
            } else {
                inbound.run(new PacketBatch(1), in, toNetwork, toHost);
            }
        } catch (OutOfMemoryError e) {
            // JUnit itself would give up.
            throw new AssertionError("a fault has left the path", e);
        }
        assertTrue(in.isEmpty());
        return outputs();
    }

    /** What the path is given: from the host's stack, or from the network. */
    List<byte[]> frames() {
        List<byte[]> all = inputs.stream().flatMap(List::stream).toList();
        return out ? all : inbound(left.send(all.toArray(new byte[0][])));
    }

    private static List<byte[]> inbound(List<byte[]> frames) {
        for (byte[] frame : frames) {
            Bytes.putI64(frame, 0, StaticNetwork.HOST_MAC << 16 | StaticNetwork.GATEWAY_MAC >>> 32);
            Bytes.putI32(frame, 8, (int) StaticNetwork.GATEWAY_MAC);
        }
        return frames;
    }

    /** Counts what came out by name, and gives the buffers back, each of which must be there once. */
    private TreeMap<String, Integer> outputs() {
        Set<PacketBuffer> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        TreeMap<String, Integer> outputs = new TreeMap<>();
        List<byte[]> sealed = new ArrayList<>();
        for (PacketBatch batch : List.of(toNetwork, toHost)) {
            for (int i = 0; i < batch.size(); i++) {
                PacketBuffer buffer = batch.get(i);
                assertTrue(seen.add(buffer), "a buffer is sent twice");
                byte[] frame = Arrays.copyOfRange(buffer.data, buffer.offset, buffer.offset + buffer.length);
                if (batch == toNetwork) {
                    sealed.add(frame);
                } else {
                    outputs.merge("host " + nameOf(frame), 1, Integer::sum);
                }
            }
            batch.releaseTo(pool);
        }
        right.receive(sealed).forEach(frame -> outputs.merge("network " + nameOf(frame), 1, Integer::sum));
        assertOneOwner();
        return outputs;
    }

    /** By its port, or that of the packet that an ICMP error quotes; later fragments by their identification. */
    private String nameOf(byte[] frame) {
        if (Bytes.u16(frame, Ethernet.TYPE) == Ethernet.TYPE_ARP) {
            return "arp";
        }
        IpPacket packet = Frames.view(frame);
        int at = packet.protocol == IpProtocol.ICMP ? packet.payload + 8 + 20 : packet.payload;
        if (!packet.hasUpperHeader()) {
            return packet.isIpv4() ? names.get(Bytes.u16(packet.data(), packet.offset + 4) - 1) : "tunnel six";
        }
        return names.get(Bytes.u16(packet.data(), at) - FIRST_PORT);
    }

    /** Takes all free buffers, looks whether one is there twice, and gives them back. */
    private void assertOneOwner() {
        Set<PacketBuffer> free = Collections.newSetFromMap(new IdentityHashMap<>());
        PacketBatch taken = new PacketBatch(256);
        for (int i = 0; i < 256; i++) {
            PacketBuffer buffer = pool.take();
            taken.add(buffer);
            free.add(buffer);
        }
        assertEquals(256, free.size(), "a free buffer has two places");
        taken.releaseTo(pool);
    }
}
