package org.xfrmbridge.km;

/**
 * Whether memory is left for another State or Policy. What is kept in reserve is for what packets cause and for the
 * work on requests, so that one which does not fit is refused (ENOMEM, as by a kernel) and all others are still
 * answered. A datapath thread asks one of its own before it keeps more of a State than it did. One thread.
 */
@FunctionalInterface
public interface MemoryReserve {
    /** For tests and programs that own their memory. */
    MemoryReserve ENDLESS = () -> true;

    boolean hasRoom();

    /** @throws XfrmException ENOMEM if there is no room */
    default void requireRoom() throws XfrmException {
        if (!hasRoom()) {
            throw new XfrmException(
                    Errno.ENOMEM, "the bridge's heap is full: delete something, or start it with a larger -Xmx");
        }
    }
}
