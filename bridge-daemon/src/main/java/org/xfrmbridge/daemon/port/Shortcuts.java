package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.net.IpPacket;

/**
 * Which packets may be given to their interface at once, because the host's IP layer would do nothing to them but find
 * their way. One thread.
 */
public interface Shortcuts extends AutoCloseable {
    /**
     * @param ifindex of the interface
     * @param mac link address of the next hop, in the low 48 bits
     */
    record Shortcut(int ifindex, long mac) {}

    /** Where each thread that sends has its own from. */
    interface Source {
        Shortcuts open() throws OsException;
    }

    /** Hears of what has changed. What is found afterwards holds for packets that are sent at once. */
    void look();

    /** The shortcut of a packet that is to leave wherever routes lead; null if there is none. */
    Shortcut find(IpPacket packet, int mark);

    @Override
    void close();
}
