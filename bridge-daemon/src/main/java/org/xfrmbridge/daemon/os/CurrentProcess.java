package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

/** This process and its threads. */
public final class CurrentProcess {
    private static final int PRIO_PROCESS = 0;
    private static final int SELF = 0;
    private static final int NICEST = 19;

    private static final int SIGHUP = 1;
    private static final int SIG_IGN = 1;

    private CurrentProcess() {}

    public static int effectiveUserId() {
        return LIBC.geteuid();
    }

    /** A JVM ends by SIGHUP, which others send to say "read your configuration". From now on it does nothing. */
    public static void ignoreHangup() {
        LIBC.signal(SIGHUP, SIG_IGN);
    }

    /**
     * From now on the calling thread, and no other, gets the time that nobody else wants: Linux takes a thread for a
     * process here.
     */
    public static void lowerThreadPriority() throws OsException {
        check(LIBC.setpriority(PRIO_PROCESS, SELF, NICEST), "setpriority");
    }
}
