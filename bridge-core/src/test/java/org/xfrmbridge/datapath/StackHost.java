package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Direction;

/** A host with the datapath in its stack: frames come with marks and interfaces, and leave with them. */
final class StackHost {
    /** Has databases and network; its own datapath, which is in the wire, is for comparison. */
    final TestHost host;

    final XfrmStats stats = new XfrmStats();
    /** What the stack was told by the outbound path since {@link #send}. */
    final List<byte[]> answers = new ArrayList<>();

    private final PacketPool pool = new PacketPool(64);
    private final PathContext context;
    private final OutboundPath outbound;
    private final InboundPath inbound;
    private final ClearPath clear;

    StackHost(String... addresses) {
        this(false, addresses);
    }

    StackHost(boolean clampsMss, String... addresses) {
        this(clampsMss, new TestHost(addresses));
    }

    /** @param host whose databases and network it has */
    StackHost(TestHost host) {
        this(false, host);
    }

    private StackHost(boolean clampsMss, TestHost host) {
        this.host = host;
        context = PathContext.builder(host.databases, host.network, host.clock)
                .placement(PathContext.Placement.IN_STACK)
                .clampMss(clampsMss)
                .build(host);
        outbound = new OutboundPath(context, stats.newOutbound(), pool, Steering.ALONE);
        inbound = new InboundPath(context, stats.newInbound(), pool, Steering.ALONE);
        clear = new ClearPath(context, stats.newInbound());
    }

    PathMtu pathMtu() {
        return context.pathMtu();
    }

    PathContext context() {
        return context;
    }

    static PacketBuffer buffer(byte[] frame, int mark, int ifindex) {
        PacketBuffer buffer = new PacketBuffer();
        buffer.ensureCapacity(frame.length);
        System.arraycopy(frame, 0, buffer.data, buffer.offset, frame.length);
        buffer.length = frame.length;
        buffer.mark = mark;
        buffer.ifindex = ifindex;
        return buffer;
    }

    static byte[] bytes(PacketBuffer frame) {
        return Arrays.copyOfRange(frame.data, frame.offset, frame.offset + frame.length);
    }

    /** What leaves. */
    List<PacketBuffer> send(PacketBuffer... frames) {
        PacketBatch toHost = new PacketBatch(8);
        List<PacketBuffer> sent = run(frames, (in, out) -> outbound.run(new PacketBatch(1), in, out, toHost));
        failOn(stats.takeOutboundFault());
        answers.clear();
        each(toHost, answer -> answers.add(bytes(answer)));
        return sent;
    }

    List<PacketBuffer> send(Frames frames) {
        return send(buffer(frames.frame(), 0, 0));
    }

    /** What the stack gets. */
    List<PacketBuffer> receive(PacketBuffer... frames) {
        List<PacketBuffer> received =
                run(frames, (in, out) -> inbound.run(new PacketBatch(1), in, new PacketBatch(1), out));
        failOn(stats.takeInboundFault());
        return received;
    }

    DropReason judge(Direction direction, PacketBuffer frame) {
        return clear.judge(direction, frame);
    }

    /** A frame that another host has sent, as it comes from the network. */
    static PacketBuffer arriving(byte[] frame, int mark, int ifindex) {
        MacAddress.write(frame, Ethernet.DESTINATION, StaticNetwork.HOST_MAC);
        MacAddress.write(frame, Ethernet.SOURCE, StaticNetwork.GATEWAY_MAC);
        return buffer(frame, mark, ifindex);
    }

    private interface Path {
        void run(PacketBatch in, PacketBatch out);
    }

    private static List<PacketBuffer> run(PacketBuffer[] frames, Path path) {
        PacketBatch in = new PacketBatch(8);
        PacketBatch out = new PacketBatch(8);
        for (PacketBuffer frame : frames) {
            in.add(frame);
        }
        path.run(in, out);
        List<PacketBuffer> list = new ArrayList<>();
        each(out, list::add);
        return list;
    }

    private static void each(PacketBatch batch, Consumer<PacketBuffer> action) {
        for (int i = 0; i < batch.size(); i++) {
            action.accept(batch.get(i));
        }
    }

    private static void failOn(Throwable fault) {
        if (fault != null) {
            throw new AssertionError("a fault on a packet's path", fault);
        }
    }
}
