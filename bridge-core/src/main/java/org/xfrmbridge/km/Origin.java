package org.xfrmbridge.km;

/**
 * Who asked for a change, {@code struct km_event}: events carry it so that the asker recognises its own. For changes
 * nobody asked for (timers) both numbers are 0.
 *
 * @param via the interface it was asked through: some checks belong to one of them in a kernel, and are not made for
 *     the other
 */
public record Origin(int sequence, int portId, Interface via) {
    public static final Origin KERNEL = new Origin(0, 0);

    /** The two ways to ask. */
    public enum Interface {
        NETLINK,
        PF_KEY
    }

    /** Through netlink. */
    public Origin(int sequence, int portId) {
        this(sequence, portId, Interface.NETLINK);
    }
}
