package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Flow;

/**
 * What the ways of a packet in both directions share: from a batch to one frame after the other, and the packet in
 * hand. One thread, or one of several.
 *
 * <p>Every frame given to {@link #run} is handed on or back to the pool before it returns. One that shows a fault of
 * this program is counted and dropped, and costs no other.
 */
abstract sealed class PacketPath permits OutboundPath, InboundPath {
    final PathContext context;
    final PathCounters counters;
    final PacketPool pool;
    final Steering steering;
    final Identifications identifications;
    final LocalAddressCache localAddresses;
    final Reassembly reassembly;
    final Fragmenter fragmenter;
    final PacketSight sight;

    final IpPacket packet = new IpPacket();
    final Flow flow = new Flow();

    PacketBatch toNetwork;
    PacketBatch toHost;
    long nowNs;
    long nowSeconds;

    /**
     * @param pool where frames come from and go back to; the thread's own
     * @param steering the thread, among those of the direction
     */
    PacketPath(PathContext context, PathCounters counters, PacketPool pool, Steering steering) {
        this.context = context;
        this.counters = counters;
        this.pool = pool;
        this.steering = steering;
        identifications = steering.newIdentifications();
        localAddresses = new LocalAddressCache(context.network());
        reassembly = new Reassembly(pool);
        fragmenter = new Fragmenter(pool, identifications);
        sight = context.packets().newSight(flow);
    }

    /**
     * Handles whole batches: takes all frames and appends to the last two.
     *
     * @param handedOver frames of other threads, which have counted them
     * @param received frames that the thread has received itself
     */
    final void run(PacketBatch handedOver, PacketBatch received, PacketBatch network, PacketBatch host) {
        try {
            nowNs = context.clock().nowNs();
            nowSeconds = context.clock().epochSeconds();
            toNetwork = network;
            toHost = host;
            sight.beginBatch(nowNs, handedOver.size() + received.size());
            for (int i = 0; i < handedOver.size(); i++) {
                guard(handedOver.get(i), handedOver.get(i).cpu);
            }
            for (int i = 0; i < received.size(); i++) {
                counters.add(Metric.PACKETS, 1);
                counters.add(Metric.BYTES, received.get(i).length);
                guard(received.get(i), steering.thread());
            }
        } finally {
            handedOver.clear();
            received.clear();
        }
        counters.set(Metric.FLOW_ENTRIES, flows());
    }

    /** What a fault leaves half done is nobody's: buffers do not go on, nor to the pool, where they may be already. */
    private void guard(PacketBuffer frame, int cpu) {
        int sent = toNetwork.size();
        int delivered = toHost.size();
        flow.cpu = cpu;
        try {
            handle(frame);
        } catch (Throwable fault) {
            toNetwork.truncate(sent);
            toHost.truncate(delivered);
            counters.fault(fault);
        }
    }

    abstract void handle(PacketBuffer frame);

    /** How many flows are remembered. */
    abstract int flows();
}
