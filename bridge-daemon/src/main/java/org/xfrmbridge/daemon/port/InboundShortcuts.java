package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.io.PacketBuffer;

/**
 * Ways by which ESP comes past the host's IP layer, because that would do nothing to it but hand it over: an interface,
 * a source and a destination each. What comes by a way that is open is given a sign for a ring, and by no other is
 * anything. One thread.
 */
public interface InboundShortcuts extends AutoCloseable {
    /** Of an IP packet: longer ones come by sockets. A page has room for two. */
    int MOST_PACKET_BYTES = 1968;

    /** What has become of the ways. */
    enum Look {
        /** They are as they were. */
        OPEN,
        /** They are closed. What came by them is to be taken, as it came before that which closed them. */
        CHANGED,
        /** They are closed. What came by them may have been for others' rules to decide. */
        FORBIDDEN,
        /** They are closed, and nothing has come by them for long. */
        IDLE
    }

    /** What has become of the way of a frame that the IP layer has handed over. */
    enum Way {
        AS_BEFORE,
        /** So much comes by it that it should be opened. */
        WORTH_OPENING,
        /** It was open, and is no more. What came by it came before what comes from now on. */
        CLOSED
    }

    /** Where the thread that receives has its own from. */
    interface Source {
        InboundShortcuts open() throws OsException;
    }

    /** What the sign has beside its type of packet. */
    int mark();

    /**
     * Hears of what has changed. {@link Look#OPEN} holds for what came before this was asked.
     *
     * @param framesWait whether anything came by a way
     */
    Look look(boolean framesWait);

    /** The IP layer has handed over ESP in that frame. */
    Way came(PacketBuffer frame);

    /** ESP comes by sockets that may have been there before the latest way was opened. */
    void cameBefore();

    /** Opens the way of the frame that {@link #came} has just found worth it; false if the kernel refuses. */
    boolean open(PacketBuffer frame);

    /** Closes all ways. */
    @Override
    void close();
}
