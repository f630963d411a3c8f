package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;

/** Another group of the calling thread where files and sockets are concerned, setfsgid(2). */
final class FileGroup {
    private static final int UNCHANGED = -1;
    private static final int PR_GET_DUMPABLE = 3;
    private static final int PR_SET_DUMPABLE = 4;
    private static final int DUMPABLE = 1;

    private FileGroup() {}

    interface Opening<T> {
        T open() throws OsException;
    }

    /** What is opened is of that group; of the thread's own without CAP_SETGID, or where there is no such group. */
    static <T> T within(int group, Opening<T> opening) throws OsException {
        int dumpable = LIBC.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
        int before = LIBC.setfsgid(group);
        try {
            return opening.open();
        } finally {
            LIBC.setfsgid(before);
            // A kernel takes who changes its group for one with secrets, and shuts out who is to look at it.
            if (dumpable == DUMPABLE) {
                LIBC.prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0);
            }
        }
    }

    /** Whether {@link #within} has an effect. */
    static boolean isPermitted(int group) throws OsException {
        return within(group, () -> LIBC.setfsgid(UNCHANGED) == group);
    }
}
