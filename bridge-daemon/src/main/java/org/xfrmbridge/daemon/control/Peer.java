package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.UnixConnection.Credentials;

/** Who is at the other end of a socket. @param uid of its user, unsigned. @param privileged whether it may change anything */
record Peer(int pid, int uid, String program, boolean privileged) {
    /** @param privilegedGid members of this group may do what root may; negative for none */
    static Peer of(Credentials credentials, int privilegedGid) {
        boolean privileged = credentials.uid() == 0 || privilegedGid >= 0 && credentials.isIn(privilegedGid);
        return new Peer(credentials.pid(), credentials.uid(), programOf(credentials.pid()), privileged);
    }

    private static String programOf(int pid) {
        try {
            return Files.readString(Path.of("/proc", String.valueOf(pid), "comm")).strip();
        } catch (IOException e) {
            return "?";
        }
    }

    @Override
    public String toString() {
        return program + " (pid " + pid + ')';
    }
}
