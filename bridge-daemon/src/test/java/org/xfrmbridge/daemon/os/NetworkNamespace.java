package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.check;

import jnr.ffi.LibraryLoader;

/** Where a thread's sockets and devices are: setns(2). */
public final class NetworkNamespace {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final Setns LIBC = LibraryLoader.create(Setns.class).load("c");

    private NetworkNamespace() {}

    /** Public because generated code implements it. */
    public interface Setns {
        int setns(int fd, int namespaceType);
    }

    /**
     * Moves the calling thread, and nothing else, to a network namespace: sockets and devices it opens from now on are
     * there.
     */
    public static void enter(String name) throws OsException {
        enterFile("/run/netns/" + name);
    }

    /** The same, to one that a file stands for. */
    static void enterFile(String path) throws OsException {
        try (Descriptor namespace = Descriptor.open(path, Descriptor.O_RDONLY)) {
            check(LIBC.setns(namespace.fd(), CLONE_NEWNET), "setns(%s)", path);
        }
    }
}
