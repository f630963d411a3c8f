package org.xfrmbridge.netlink.nl;

import org.xfrmbridge.km.Errno;

/** A message whose form is wrong. Carries no stack trace: it is an answer, not a fault. */
public final class NetlinkException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The value of {@link #offsetBytes} when no single attribute is at fault. */
    public static final int NO_OFFSET = -1;

    private final Errno errno;
    private final int offsetBytes;

    public NetlinkException(Errno errno, String message) {
        this(errno, message, NO_OFFSET);
    }

    /** @param offsetBytes of the attribute at fault, from the start of the message's header */
    public NetlinkException(Errno errno, String message, int offsetBytes) {
        super(message, null, false, false);
        this.errno = errno;
        this.offsetBytes = offsetBytes;
    }

    public Errno errno() {
        return errno;
    }

    public int offsetBytes() {
        return offsetBytes;
    }
}
