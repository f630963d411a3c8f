package org.xfrmbridge.daemon.os;

import jnr.ffi.Pointer;
import org.xfrmbridge.daemon.os.Native.Memory;

/** A {@code struct msghdr} of a 64-bit system, with room for a message and for one descriptor that comes with it (SCM_RIGHTS). One thread. */
final class Envelope {
    private static final int PART_AT = 16;
    private static final int PARTS_AT = 24;
    private static final int CONTROL_AT = 32;
    private static final int CONTROL_LENGTH_AT = 40;
    private static final int HEADER_BYTES = 56;

    /** One {@code struct iovec} follows, and one {@code struct cmsghdr} with a number: with more room two descriptors would come. */
    private static final int IOVEC = HEADER_BYTES;
    private static final int CMSG = IOVEC + 16;
    private static final int CMSG_BYTES = 20;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;

    private final Memory header = new Memory(CMSG + CMSG_BYTES);

    Envelope(Memory message, int bytes) {
        long at = header.pointer.address();
        header.buffer.putLong(PART_AT, at + IOVEC).putLong(PARTS_AT, 1).putLong(CONTROL_AT, at + CMSG);
        header.buffer.putLong(IOVEC, message.pointer.address()).putLong(IOVEC + 8, bytes);
    }

    /** Before each call. */
    Envelope empty() {
        header.buffer.putLong(CONTROL_LENGTH_AT, CMSG_BYTES);
        return this;
    }

    Pointer pointer() {
        return header.pointer;
    }

    /** The descriptor that came, or null. */
    Descriptor passed() {
        boolean one = header.buffer.getLong(CONTROL_LENGTH_AT) == CMSG_BYTES
                && header.buffer.getInt(CMSG + 8) == SOL_SOCKET
                && header.buffer.getInt(CMSG + 12) == SCM_RIGHTS;
        return one ? new Descriptor(header.buffer.getInt(CMSG + 16)) : null;
    }
}
