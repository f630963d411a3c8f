package org.xfrmbridge.io;

import java.util.List;

/**
 * How far the clients of one front end are behind.
 *
 * @param clients how many there are
 * @param waitingBytes what they have not taken yet
 * @param lostEvents how many events they did not get, those who have gone included, as they did not read
 */
public record ClientLoad(int clients, long waitingBytes, long lostEvents) {
    /** @param lostByGone what clients lost that have gone */
    public static ClientLoad of(List<? extends QueuedSession> sessions, long lostByGone) {
        long waitingBytes = 0;
        long lostEvents = lostByGone;
        for (QueuedSession session : sessions) {
            waitingBytes += session.waitingBytes();
            lostEvents += session.lostEvents();
        }
        return new ClientLoad(sessions.size(), waitingBytes, lostEvents);
    }
}
