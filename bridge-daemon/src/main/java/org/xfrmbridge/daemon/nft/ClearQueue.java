package org.xfrmbridge.daemon.nft;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.xfrm.Direction;

/** The packets that came in the clear and match a policy, each to be judged, linux/netfilter/nfnetlink_queue.h. */
public final class ClearQueue implements AutoCloseable {
    /** Says whether a packet may go on. */
    public interface Judge {
        /** @param direction IN for the host itself, FWD for what it forwards */
        boolean isAllowed(Direction direction, PacketBuffer frame);
    }

    public static ClearQueue open() throws OsException {
        throw new UnsupportedOperationException();
    }

    public int number() {
        return 0;
    }

    /** Judges what is there, up to a batch, without waiting. @return number of packets */
    public int doWork(Judge judge) {
        return 0;
    }

    /** Waits until there is a packet or the time is over; false if it was closed. */
    public boolean await(int timeoutMs) {
        return false;
    }

    @Override
    public void close() {}
}
