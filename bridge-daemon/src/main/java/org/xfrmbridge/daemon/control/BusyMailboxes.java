package org.xfrmbridge.daemon.control;

import java.util.ArrayList;
import java.util.List;

/**
 * The clients with a mailbox that were served, or sent something, since the loop last slept: it looks into their
 * mailboxes as long as it does not sleep, and before it does there is nothing left in one. Control thread only.
 */
final class BusyMailboxes {
    /** Looks at all of them before the loop asks for events, too: about a microsecond, if it is one. */
    private static final int LOOKS = 64;

    private final List<DatagramChannel> clients = new ArrayList<>();

    /** From now on this one is looked at. */
    void note(DatagramChannel client) {
        if (client.startTalking()) {
            clients.add(client);
        }
    }

    /** Looks for a moment; true if there is a request to {@link #serve}. */
    boolean look() {
        for (DatagramChannel client : clients) {
            client.invite();
        }
        boolean asked = isAnyAsking();
        for (int i = clients.size(); i > 0 && i < LOOKS && !asked; i += clients.size()) {
            Thread.onSpinWait();
            asked = isAnyAsking();
        }
        return asked;
    }

    private boolean isAnyAsking() {
        for (int i = 0; i < clients.size(); i++) {
            if (clients.get(i).isAsking()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Before the loop sleeps: lets none of them use its mailbox any more. True if there is a request to {@link #serve}.
     */
    boolean rest() {
        clients.removeIf(DatagramChannel::stopTalking);
        return !clients.isEmpty();
    }

    /** Serves those that asked; true if there were any. */
    boolean serve() {
        boolean any = false;
        for (int i = 0; i < clients.size(); i++) {
            if (clients.get(i).isAsking()) {
                clients.get(i).ready();
                any = true;
            }
        }
        return any;
    }
}
