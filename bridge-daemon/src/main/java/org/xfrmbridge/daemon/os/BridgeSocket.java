package org.xfrmbridge.daemon.os;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The sockets in a bridge's directory. Each has a twin that nobody can connect to but who may change anything: there,
 * others cannot keep those waiting, as a queue of connections that is full makes everybody wait. Any thread.
 */
public enum BridgeSocket {
    NETLINK("netlink"),
    PFKEY("pfkey"),
    CONTROL("control");

    private final String file;

    BridgeSocket(String file) {
        this.file = file;
    }

    /** For everybody. */
    public Path in(Path directory) {
        return directory.resolve(file + ".sock");
    }

    /** For root and the bridge's group. */
    public Path privilegedIn(Path directory) {
        return directory.resolve(file + "-admin.sock");
    }

    /** The one that this process should connect to. */
    public Path reachableIn(Path directory) {
        Path privileged = privilegedIn(directory);
        return Files.isWritable(privileged) ? privileged : in(directory);
    }

    /** Whether a directory's path is short enough. */
    public static boolean fitIn(Path directory) {
        return UnixServer.fits(CONTROL.privilegedIn(directory)) && UnixServer.fits(NETLINK.privilegedIn(directory));
    }
}
