package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

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

    /** The path of a file that is beside this module's jar, or its classes. */
    public static Path programFile(String name) throws IOException {
        Path file = home().resolve(name);
        if (!Files.isReadable(file)) {
            throw new IOException(file + " is not there: build or install the bridge again");
        }
        return file;
    }

    /** By a resource, as a class that the JVM has from its cache has no code source. */
    private static Path home() {
        Class<?> here = CurrentProcess.class;
        String file = here.getName().replace('.', '/') + ".class";
        String url = String.valueOf(here.getResource('/' + file));
        String classes = url.substring(0, url.length() - file.length() - 1);
        String jar = classes.startsWith("jar:") ? classes.substring("jar:".length(), classes.length() - 1) : classes;
        return Path.of(URI.create(jar)).getParent();
    }

    /**
     * From now on the calling thread, and no other, gets the time that nobody else wants: Linux takes a thread for a
     * process here.
     */
    public static void lowerThreadPriority() throws OsException {
        check(LIBC.setpriority(PRIO_PROCESS, SELF, NICEST), "setpriority");
    }
}
