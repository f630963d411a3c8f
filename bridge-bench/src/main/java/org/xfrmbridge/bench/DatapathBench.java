package org.xfrmbridge.bench;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.xfrmbridge.datapath.Inbound;
import org.xfrmbridge.datapath.Metric;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PacketWatch;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.KeyMaterial;
import org.xfrmbridge.esp.KeyedAlgorithm;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * The whole way of a packet between two ports in memory: ESP with AES-128-GCM in tunnel mode, IPv4 in IPv4, one flow,
 * one State. Time is per packet and holds what the ports copy. The inbound State has no replay window, so that one
 * packet can come again and again.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class DatapathBench {
    private static final int BATCH_FRAMES = 64;
    private static final int SPI = 0x1234;
    private static final int WATCH_CAPACITY = 4096;
    private static final Address NEAR = Address.parse("192.0.2.1");
    private static final Address FAR = Address.parse("192.0.2.2");
    private static final long HOST_MAC = 0x020000000001L;
    private static final long GATEWAY_MAC = 0x0200000000feL;

    /** Length of the inner IP packet. */
    @Param({"64", "1420"})
    public int packetBytes;

    /** What somebody watches meanwhile. Nobody reads it, so that all but the first packets are lost. */
    @Param({"NOTHING", "DROPS", "ALL"})
    public Watched watched;

    /** See {@link PacketWatch.Scope}. */
    public enum Watched {
        NOTHING,
        DROPS,
        ALL
    }

    private XfrmStats stats;
    private Outbound outbound;
    private Inbound inbound;
    /** One of two threads, which hands all it receives over to the other. */
    private Inbound receiver;

    private Inbound owner;

    @Setup
    public void open() {
        stats = new XfrmStats();
        LoopPort host = new LoopPort(repeat(frame()));
        LoopPort network = new LoopPort();
        outbound = new Outbound(context(NEAR, Direction.OUT), stats, host, network);
        outbound.doWork();
        byte[] sealed = network.lastSent();
        Bytes.putU16(sealed, 0, (int) (HOST_MAC >>> 32));
        Bytes.putI32(sealed, 2, (int) HOST_MAC);
        inbound = new Inbound(context(FAR, Direction.IN), stats, new LoopPort(repeat(sealed)), new LoopPort());
        inbound.doWork();
        openHandingOver(sealed);
        if (stats.outbound(Metric.PROTECTED) != BATCH_FRAMES || stats.inbound(Metric.PROTECTED) != BATCH_FRAMES) {
            throw new IllegalStateException(stats.toProcText());
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH_FRAMES)
    public int outbound() {
        return outbound.doWork();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH_FRAMES)
    public int inbound() {
        return inbound.doWork();
    }

    /** Both threads' work, by one: what it costs beside {@link #inbound} is what handing over costs. */
    @Benchmark
    @OperationsPerInvocation(BATCH_FRAMES)
    public int inboundHandedOver() {
        return receiver.doWork() + owner.doWork();
    }

    private void openHandingOver(byte[] sealed) {
        for (int first = 0; receiver == null; first++) {
            XfrmStats apart = new XfrmStats();
            PacketPort[] networks = {new LoopPort(), new LoopPort()};
            networks[first] = new LoopPort(repeat(sealed));
            List<Inbound> both = Inbound.among(context(FAR, Direction.IN), apart, List.of(networks), new LoopPort());
            both.forEach(Inbound::doWork);
            if (apart.inbound(Metric.HANDED_OVER) > 0) {
                receiver = both.get(first);
                owner = both.get(1 - first);
            }
        }
    }

    private byte[] frame() {
        byte[] frame = new byte[14 + packetBytes];
        Bytes.putI64(frame, 0, GATEWAY_MAC << 16 | HOST_MAC >>> 32);
        Bytes.putI32(frame, 8, (int) HOST_MAC);
        Bytes.putU16(frame, 12, 0x0800);
        Bytes.putU16(frame, 14, 0x4500);
        frame[14 + Ipv4.TTL] = 64;
        frame[14 + Ipv4.PROTOCOL] = IpProtocol.UDP;
        Bytes.putI32(frame, 14 + Ipv4.SOURCE, Address.parse("10.1.0.1").ipv4());
        Bytes.putI32(frame, 14 + Ipv4.DESTINATION, Address.parse("10.2.0.1").ipv4());
        Ipv4.finish(frame, 14, packetBytes);
        return frame;
    }

    private static byte[][] repeat(byte[] frame) {
        byte[][] frames = new byte[BATCH_FRAMES][];
        Arrays.fill(frames, frame);
        return frames;
    }

    private PathContext context(Address self, Direction direction) {
        Databases databases = new Databases();
        databases.sad().insert(state());
        Template template = Template.builder()
                .id(new StateId(FAR, 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(NEAR)
                .reqid(1)
                .mode(org.xfrmbridge.xfrm.Mode.TUNNEL)
                .build();
        databases
                .spd()
                .add(
                        PolicySpec.builder()
                                .selector(Selector.any(AddressFamily.INET))
                                .direction(direction)
                                .templates(List.of(template))
                                .build(),
                        0);
        PathContext context = PathContext.builder(databases, new OneGateway(self), new MachineClock())
                .build(new Unheard());
        if (watched != Watched.NOTHING) {
            PacketWatch.Scope scope = PacketWatch.Scope.valueOf(watched.name());
            context.packets().add(new PacketWatch(scope, packet -> true, WATCH_CAPACITY));
        }
        return context;
    }

    private static org.xfrmbridge.xfrm.State state() {
        StateSpecBuilder spec = StateSpec.builder()
                .mode(org.xfrmbridge.xfrm.Mode.TUNNEL)
                .family(AddressFamily.INET)
                .flags(StateFlags.AF_UNSPEC)
                .saddr(NEAR)
                .id(new StateId(FAR, SPI, IpProtocol.ESP))
                .reqid(1);
        byte[] key = new byte[20];
        Arrays.fill(key, (byte) 7);
        EspSuite suite = EspSuite.aead(new KeyedAlgorithm(
                AlgorithmTable.aead("rfc4106(gcm(aes))", 128).orElseThrow(), KeyMaterial.copyOf(key)));
        return new org.xfrmbridge.xfrm.State(spec.build(), org.xfrmbridge.xfrm.State.Phase.VALID, new Usage(1), suite);
    }

    /** A network of 10.0.0.0/8 is behind it. */
    private static final class OneGateway extends OneLink {
        OneGateway(Address self) {
            super(self, new NextHop(HOST_MAC, GATEWAY_MAC, MTU_BYTES));
        }

        @Override
        public boolean isLocal(int family, long high, long low) {
            return self.high() == high || high >>> 56 == 10;
        }
    }

    private static final class Unheard implements DatapathEvents {
        @Override
        public boolean acquire(
                Policy policy, Template template, Flow flow, Address daddr, Address saddr, ToIntFunction<Flow> device) {
            return true;
        }

        @Override
        public void limitReached(org.xfrmbridge.xfrm.State state) {}

        @Override
        public void mappingChanged(org.xfrmbridge.xfrm.State state, Address newSaddr, int newSport) {}

        @Override
        public boolean hearsReplay() {
            return false;
        }

        @Override
        public void replayAdvanced(org.xfrmbridge.xfrm.State state) {}
    }
}
