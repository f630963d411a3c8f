package org.xfrmbridge.io;

/**
 * A place where whole Ethernet frames come from and go to: a TAP device, a packet socket, a pcap file, memory. Offloads
 * stay inside: what {@link #receive} yields are ordinary frames with finished checksums, at most a MTU long, whatever
 * the device carried.
 *
 * <p>One thread receives. Sending is allowed from several threads at once.
 */
public interface PacketPort extends AutoCloseable {
    /**
     * Takes what is there, up to a batch, without waiting; appends to {@code into}. When a fault is thrown, the frame
     * that showed it is gone.
     */
    void receive(PacketPool pool, PacketBatch into);

    /**
     * Sends the frames in order. They stay the caller's, who may reuse them when the call returns. A full device drops.
     * A frame that shows a fault costs no other: the first such fault is thrown when the rest is sent.
     */
    void send(PacketBatch batch);

    /** Waits until a frame can be received or the time is over; false if the port was closed. */
    boolean await(int timeoutMs);

    /** How many frames were lost before they could be received, as too many waited. One thread, any. */
    default long missed() {
        return 0;
    }

    /** Ends an {@link #await} of the thread that receives, or its next one. Any thread. */
    void wake();

    @Override
    void close();
}
