package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.io.PacketPort;

/**
 * What a bridge has taken from its host and stands on: the host's packets on one side, the network on the other.
 * However the process ends, nothing passes between the two until another one takes it up again, or it is undone.
 */
public interface Underlay extends AutoCloseable {
    /** Where the host's stack sends and receives. */
    PacketPort host();

    /** Where all others do. */
    PacketPort network();

    /**
     * Whether packets of the host, sent by now, wait to be received at {@link #host}: they are judged before a policy
     * leaves. Control thread.
     */
    boolean isHostWaiting();

    /** The interface on which the host has its addresses, and by which its packets come here. */
    int hostIndex() throws OsException;

    /** For people: what was taken over, and what stands for it. */
    DeviceNames names();

    /** Every few seconds, of one thread: closes again what others may have opened. */
    void keepClosed();

    /** Closes what this process holds; all else stays, and carries nothing. */
    void leave();

    /** Gives everything back to the host as it was, with what has changed meanwhile. */
    @Override
    void close() throws IOException;

    /**
     * After a start that failed: gives back what this process took, and leaves in place what it found.
     *
     * @param left whether there was anything to find
     */
    default void giveUp(boolean left) throws IOException {
        if (left) {
            leave();
        } else {
            close();
        }
    }
}
