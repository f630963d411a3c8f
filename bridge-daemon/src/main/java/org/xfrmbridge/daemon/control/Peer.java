package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.UnixConnection.Credentials;

/** Who is at the other end of a socket: who connected it, and whether others may speak through it. One thread. */
final class Peer {
    /** This program, when it says again what others have said to it before it was started. */
    static final Peer SELF = new Peer(
            new Access(-1), new Credentials((int) ProcessHandle.current().pid(), 0, new int[0]));

    private final Access access;
    private final int pid;
    private final int uid;
    private final boolean privileged;
    private String program;

    Peer(Access access, Credentials opener) {
        this.access = access;
        pid = opener.pid();
        uid = opener.uid();
        privileged = access.isPrivileged(opener);
    }

    int pid() {
        return pid;
    }

    /** Of its user, unsigned. */
    int uid() {
        return uid;
    }

    /** Whether it may change anything. */
    boolean privileged() {
        return privileged;
    }

    /** Whether a message from that user and group may change anything, too. */
    boolean trusts(int senderUid, int senderGid) {
        return privileged && access.trusts(uid, senderUid, senderGid);
    }

    private String programOf() {
        try {
            return Files.readString(Path.of("/proc", String.valueOf(pid), "comm"))
                    .stripTrailing();
        } catch (IOException e) {
            return "?";
        }
    }

    /** For the log. A name that could be taken for more than a name is in quotes. */
    @Override
    public String toString() {
        if (program == null) {
            String name = programOf();
            program = name.matches("[\\w.:/@+?-]+") ? name : '"' + name.replace("\"", "\\\"") + '"';
        }
        return program + " (pid " + pid + ')';
    }
}
