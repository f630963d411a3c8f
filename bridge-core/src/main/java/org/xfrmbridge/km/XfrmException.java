package org.xfrmbridge.km;

import java.util.function.BooleanSupplier;

/**
 * A request that is refused, with what a kernel would say of it. Carries no stack trace: it is an answer, not a fault.
 *
 * <p>{@link #getMessage} is the extended ACK text in our own words, or null where there is nothing to say.
 */
public final class XfrmException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Errno errno;
    private final int attribute;

    public XfrmException(Errno errno) {
        this(errno, null);
    }

    public XfrmException(Errno errno, String message) {
        this(errno, message, 0);
    }

    /**
     * @param attribute number of the netlink attribute at fault, 0 if none: the netlink session turns it into an offset
     */
    public XfrmException(Errno errno, String message, int attribute) {
        super(message, null, false, false);
        this.errno = errno;
        this.attribute = attribute;
    }

    /** Refuses a request with EINVAL if it has a fault. */
    public static void refuseIf(boolean fault, String reason) throws XfrmException {
        if (fault) {
            throw new XfrmException(Errno.EINVAL, reason);
        }
    }

    /** The same where a kernel gives no reason. */
    public static void refuseIf(boolean fault) throws XfrmException {
        refuseIf(fault, null);
    }

    /** Refuses with ENOMEM what would make one more State or Policy if there is no memory for it. */
    static void requireRoom(BooleanSupplier reserve) throws XfrmException {
        if (!reserve.getAsBoolean()) {
            throw new XfrmException(
                    Errno.ENOMEM, "the bridge's heap is full: delete something, or start it with a larger -Xmx");
        }
    }

    public Errno errno() {
        return errno;
    }

    public int attribute() {
        return attribute;
    }
}
