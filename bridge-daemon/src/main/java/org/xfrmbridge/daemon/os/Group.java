package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;

import java.util.OptionalInt;
import java.util.Set;
import org.xfrmbridge.daemon.os.Native.Memory;

/** The groups of this machine, wherever they are kept: getgrnam_r(3) asks what nsswitch.conf names. Any thread. */
public final class Group {
    private static final int ERANGE = 34;
    /** EPERM, ENOENT, ESRCH, EBADF: some sources of groups say so that they have none of that name. */
    private static final Set<Integer> NOT_THERE = Set.of(1, 2, 3, 9);

    private static final int FIRST_BYTES = 1 << 12;
    private static final int MOST_BYTES = 1 << 24;
    /** {@code struct group} of a 64-bit system: two pointers, the number, a pointer. */
    private static final int GROUP_BYTES = 32;

    private static final int GID_AT = 16;

    private Group() {}

    /** The number of a group; empty if there is none of that name. */
    public static OptionalInt numberOf(String name) throws OsException {
        Memory group = new Memory(GROUP_BYTES);
        Memory found = new Memory(Long.BYTES);
        for (int bytes = FIRST_BYTES; ; bytes *= 4) {
            // What it points to: names of all members.
            Memory strings = new Memory(bytes);
            int errno = LIBC.getgrnam_r(name, group.pointer, strings.pointer, bytes, found.pointer);
            if (errno == 0) {
                boolean isThere = found.buffer.getLong(0) != 0;
                return isThere ? OptionalInt.of(group.buffer.getInt(GID_AT)) : OptionalInt.empty();
            }
            if (NOT_THERE.contains(errno)) {
                return OptionalInt.empty();
            }
            if (errno != ERANGE || bytes >= MOST_BYTES) {
                throw new OsException("getgrnam_r(" + name + ")", errno);
            }
        }
    }
}
