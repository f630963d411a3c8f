package org.xfrmbridge.netlink.nl;

import org.xfrmbridge.km.Errno;

/** A message whose form is wrong. Carries no stack trace: it is an answer, not a fault. */
public final class NetlinkException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The value of {@link #offsetBytes} when no single attribute is at fault. */
    public static final int NO_OFFSET = -1;

    private final Errno errno;
    private final int offsetBytes;
    // An exception is serializable in name only.
    private final transient AttributePolicy.Expectation expectation;

    public NetlinkException(Errno errno, String message) {
        this(errno, message, NO_OFFSET);
    }

    /** @param offsetBytes of the attribute at fault, from the start of the message's header */
    public NetlinkException(Errno errno, String message, int offsetBytes) {
        this(errno, message, offsetBytes, null);
    }

    NetlinkException(Errno errno, String message, int offsetBytes, AttributePolicy.Expectation expectation) {
        super(message, null, false, false);
        this.errno = errno;
        this.offsetBytes = offsetBytes;
        this.expectation = expectation;
    }

    /** What the attribute at fault should have been; null if there is nothing to say. */
    AttributePolicy.Expectation expectation() {
        return expectation;
    }

    public Errno errno() {
        return errno;
    }

    public int offsetBytes() {
        return offsetBytes;
    }
}
