package org.xfrmbridge.daemon.os;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A {@code struct msghdr} of a 64-bit system, with room for a message and for what comes with it: the sender's
 * credentials (SCM_CREDENTIALS) and one descriptor (SCM_RIGHTS). What there is no room for the kernel does away with
 * (MSG_CTRUNC). One thread.
 */
final class MessageHeader {
    /** An id that nobody has, in the place of the sender's. */
    static final int NO_ID = -1;

    private static final int PART_AT = 16;
    private static final int PARTS_AT = 24;
    private static final int CONTROL_AT = 32;
    private static final int CONTROL_LENGTH_AT = 40;
    private static final int HEADER_BYTES = 56;
    private static final int IOVEC_BYTES = 16;
    private static final int PART_LENGTH_AT = HEADER_BYTES + 8;

    /** {@code struct cmsghdr}: a length of 8 bytes that counts itself, level, type; then data, padded to 8 bytes. */
    private static final int CMSG_BYTES = 16;

    private static final int LEVEL_AT = 8;
    private static final int TYPE_AT = 12;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int SCM_CREDENTIALS = 2;
    private static final int FD_BYTES = 4;
    private static final int UCRED_BYTES = 12;
    private static final int UID_AT = CMSG_BYTES + 4;
    private static final int GID_AT = CMSG_BYTES + 8;

    private static final int CONTROL = HEADER_BYTES + IOVEC_BYTES;

    /** The kernel writes the credentials first. */
    private static final int CONTROL_BYTES = CMSG_BYTES + 16 + CMSG_BYTES + FD_BYTES;

    private final Memory header = new Memory(CONTROL + CONTROL_BYTES);
    private final List<Descriptor> descriptors = new ArrayList<>();
    private int uid;
    private int gid;

    MessageHeader(Memory message) {
        long at = header.pointer;
        header.buffer.putLong(PART_AT, at + HEADER_BYTES).putLong(PARTS_AT, 1).putLong(CONTROL_AT, at + CONTROL);
        header.buffer.putLong(HEADER_BYTES, message.pointer);
    }

    /** Before each call. @param bytes of the message that there is room for: of a stream no more is taken */
    MessageHeader empty(int bytes) {
        header.buffer.putLong(CONTROL_LENGTH_AT, CONTROL_BYTES).putLong(PART_LENGTH_AT, bytes);
        return this;
    }

    /** Before a message of one byte is sent. @param fd that goes with it, negative for none */
    MessageHeader carrying(int fd) {
        header.buffer
                .putLong(PART_LENGTH_AT, 1)
                .putLong(CONTROL_LENGTH_AT, fd < 0 ? 0 : CMSG_BYTES + 2 * FD_BYTES)
                .putLong(CONTROL, CMSG_BYTES + FD_BYTES)
                .putInt(CONTROL + LEVEL_AT, SOL_SOCKET)
                .putInt(CONTROL + TYPE_AT, SCM_RIGHTS)
                .putInt(CONTROL + CMSG_BYTES, fd);
        return this;
    }

    long pointer() {
        return header.pointer;
    }

    /**
     * After each call that succeeded, whatever came: all descriptors that came with the message are in this process
     * now, and must be closed.
     *
     * @return the first of them, the caller's to close, or null; others are closed
     */
    Descriptor open() {
        uid = NO_ID;
        gid = NO_ID;
        descriptors.clear();
        int end = CONTROL + Math.clamp(header.buffer.getLong(CONTROL_LENGTH_AT), 0, CONTROL_BYTES);
        for (int at = CONTROL; at + CMSG_BYTES <= end; ) {
            int bytes = Math.clamp(header.buffer.getLong(at), CMSG_BYTES, end - at);
            take(at, bytes);
            at += (bytes + 7) & -8;
        }
        for (int i = 1; i < descriptors.size(); i++) {
            descriptors.get(i).close();
        }
        return descriptors.isEmpty() ? null : descriptors.getFirst();
    }

    private void take(int at, int bytes) {
        if (header.buffer.getInt(at + LEVEL_AT) != SOL_SOCKET) {
            return;
        }
        int type = header.buffer.getInt(at + TYPE_AT);
        if (type == SCM_CREDENTIALS && bytes >= CMSG_BYTES + UCRED_BYTES) {
            uid = header.buffer.getInt(at + UID_AT);
            gid = header.buffer.getInt(at + GID_AT);
        }
        for (int fd = at + CMSG_BYTES; type == SCM_RIGHTS && fd + FD_BYTES <= at + bytes; fd += FD_BYTES) {
            descriptors.add(new Descriptor(header.buffer.getInt(fd)));
        }
    }

    /** The sender's real user, {@link #NO_ID} if the kernel did not tell. */
    int uid() {
        return uid;
    }

    /** The sender's real group, {@link #NO_ID} if the kernel did not tell. */
    int gid() {
        return gid;
    }
}
