package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/** A port that fails when it is told to: before it sends, or after it has received something. */
final class FaultyPort implements PacketPort {
    private final PacketPort port;
    private boolean sendFails;
    private boolean receiveFails;
    private int sends;

    FaultyPort(PacketPort port) {
        this.port = port;
    }

    void failNextSend() {
        sendFails = true;
    }

    void failNextReceive() {
        receiveFails = true;
    }

    /** How often anything was sent, be it no frame. */
    int sends() {
        return sends;
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        port.receive(pool, into);
        if (receiveFails) {
            receiveFails = false;
            throw new StackOverflowError("a fault");
        }
    }

    @Override
    public void send(PacketBatch batch) {
        if (sendFails) {
            sendFails = false;
            throw new IllegalStateException("a fault");
        }
        sends++;
        port.send(batch);
    }

    @Override
    public boolean await(int timeoutMs) {
        return port.await(timeoutMs);
    }

    @Override
    public void wake() {}

    @Override
    public void close() {
        port.close();
    }
}
