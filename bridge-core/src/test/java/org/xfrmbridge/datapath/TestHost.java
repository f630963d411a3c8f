package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.MemoryPort;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/**
 * A host with a whole datapath: its stack on one side, the network on the other, and a list of what the control side
 * was told.
 */
final class TestHost implements DatapathEvents {
    /** With {@code -Ddatapath.threads=N} each test of packets is one of N threads for each direction. */
    private static final int THREADS = Integer.getInteger("datapath.threads", 1);

    final ManualClock clock = new ManualClock();
    final Databases databases = new Databases();
    final Sad sad = databases.sad();
    final Spd spd = databases.spd();
    final SocketPolicies sockets = databases.sockets();
    final StaticNetwork network = new StaticNetwork();
    final XfrmStats stats = new XfrmStats();
    final List<String> told = new ArrayList<>();
    boolean hearsReplay;
    boolean memoryIsFull;
    /** As when too many States are being asked for. */
    boolean refusesAcquires;
    /** The host's IP stack. */
    final MemoryPort stack;
    /** The network beyond the datapath. */
    final MemoryPort wire;

    private final PathContext context;
    private final List<Outbound> outbound;
    private final List<Inbound> inbound;

    TestHost(String... addresses) {
        this(THREADS, addresses);
    }

    /** @param threads of each direction, which the caller's thread drives in turns */
    TestHost(int threads, String... addresses) {
        MemoryPort[] hostSide = MemoryPort.wire();
        MemoryPort[] networkSide = MemoryPort.wire();
        stack = hostSide[0];
        wire = networkSide[0];
        for (String address : addresses) {
            network.addLocal(address);
        }
        context = PathContext.builder(databases, network, clock)
                .memory(() -> !memoryIsFull, () -> !memoryIsFull)
                .build(this);
        outbound = Outbound.among(context, stats, SpreadPort.queues(hostSide[1], threads), networkSide[1]);
        inbound = Inbound.among(context, stats, SpreadPort.queues(networkSide[1], threads), hostSide[1]);
    }

    PathContext context() {
        return context;
    }

    /** Frames from the stack to the network: what leaves. */
    List<byte[]> send(byte[]... frames) {
        for (byte[] frame : frames) {
            stack.send(frame);
        }
        workOutbound();
        failOn(stats.takeOutboundFault());
        return wire.drain();
    }

    /** Frames from the network to the stack: what arrives there. */
    List<byte[]> receive(byte[]... frames) {
        for (byte[] frame : frames) {
            wire.send(frame);
        }
        workInbound();
        failOn(stats.takeInboundFault());
        return stack.drain();
    }

    /** A path has met a fault of ours, and goes on: a test does not. */
    private static void failOn(Throwable fault) {
        if (fault != null) {
            throw new AssertionError("a fault on a packet's path", fault);
        }
    }

    /** A State has gone, and both threads have had a turn since. */
    void forget(State state) {
        outbound.getFirst().forget(state);
        inbound.getFirst().forget(state);
        workOutbound();
        workInbound();
    }

    /** Until nothing is left that one thread has handed over to another. */
    void workOutbound() {
        while (outbound.stream().mapToInt(Outbound::doWork).sum() > 0) {}
    }

    void workInbound() {
        while (inbound.stream().mapToInt(Inbound::doWork).sum() > 0) {}
    }

    /** One for each thread. */
    List<Outbound> outbound() {
        return outbound;
    }

    List<Inbound> inbound() {
        return inbound;
    }

    /** What another host sent, as the gateway would hand it on. */
    List<byte[]> receive(List<byte[]> frames) {
        for (byte[] frame : frames) {
            MacAddress.write(frame, Ethernet.DESTINATION, StaticNetwork.HOST_MAC);
            MacAddress.write(frame, Ethernet.SOURCE, StaticNetwork.GATEWAY_MAC);
        }
        return receive(frames.toArray(new byte[0][]));
    }

    long drops(DropReason reason) {
        return stats.drops(reason);
    }

    Policy policy(Direction direction, Selector selector, Template... templates) {
        return policy(direction, selector, PolicySpec.Action.ALLOW, 1000, templates);
    }

    Policy policy(
            Direction direction, Selector selector, PolicySpec.Action action, int priority, Template... templates) {
        return spd.replace(
                spec(direction, selector, action, priority, PolicySpec.Type.MAIN, templates), clock.epochSeconds());
    }

    static PolicySpec spec(
            Direction direction,
            Selector selector,
            PolicySpec.Action action,
            int priority,
            PolicySpec.Type type,
            Template... templates) {
        return PolicySpec.builder()
                .selector(selector)
                .priority(priority)
                .direction(direction)
                .action(action)
                .templates(List.of(templates))
                .type(type)
                .build();
    }

    @Override
    public boolean acquire(
            Policy policy, Template template, Flow flow, Address daddr, Address saddr, ToIntFunction<Flow> leavesBy) {
        if (!refusesAcquires) {
            int index = leavesBy.applyAsInt(flow);
            String device = index == 0 ? "" : " dev " + index;
            told.add("acquire " + daddr.toText(template.family()) + " " + saddr.toText(template.family()) + device);
        }
        return !refusesAcquires;
    }

    @Override
    public void limitReached(State state) {
        told.add("limit");
    }

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {
        told.add("mapping " + newSaddr.toText(state.spec().family()) + " " + newSport);
    }

    @Override
    public boolean hearsReplay() {
        return hearsReplay;
    }

    @Override
    public void replayAdvanced(State state) {
        told.add("replay");
    }
}
