package org.xfrmbridge.datapath;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;

/**
 * One queue of a port that has several: frames of one pair of addresses come by one, in order. Not for several threads.
 */
final class SpreadPort implements PacketPort {
    private final PacketPort port;
    private final List<SpreadPort> all;
    private final Queue<PacketBuffer> waiting = new ArrayDeque<>();

    private SpreadPort(PacketPort port, List<SpreadPort> all) {
        this.port = port;
        this.all = all;
    }

    static List<PacketPort> queues(PacketPort port, int number) {
        if (number == 1) {
            return List.of(port);
        }
        List<SpreadPort> all = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            all.add(new SpreadPort(port, all));
        }
        return List.copyOf(all);
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        PacketBatch come = new PacketBatch(64);
        port.receive(new PacketPool(0), come);
        for (int i = 0; i < come.size(); i++) {
            all.get(Math.floorMod(hash(come.get(i)), all.size())).waiting.add(come.get(i));
        }
        for (PacketBuffer frame = waiting.poll(); frame != null; frame = waiting.poll()) {
            into.add(frame);
        }
    }

    /** Of both addresses of IPv4, and of as many bytes of others. */
    private static int hash(PacketBuffer frame) {
        int from = frame.offset + Ethernet.HEADER_BYTES + Ipv4.SOURCE;
        return frame.length < Ethernet.HEADER_BYTES + Ipv4.HEADER_BYTES
                ? 0
                : Arrays.hashCode(Arrays.copyOfRange(frame.data, from, from + 8));
    }

    @Override
    public void send(PacketBatch batch) {
        port.send(batch);
    }

    @Override
    public boolean await(int timeoutMs) {
        return port.await(timeoutMs);
    }

    @Override
    public void wake() {
        port.wake();
    }

    @Override
    public void close() {
        port.close();
    }
}
