package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.UnixConnection.Credentials;

/**
 * Who may do what a kernel asks CAP_NET_ADMIN for: root and the members of one group. As in
 * {@code netlink_net_capable}, both must have that right, who opened a socket and who sends a message through it: the
 * one would let a program speak on a socket it was given, the other would let a privileged program be made to speak by
 * what it is given for its output.
 *
 * <p>Ids are as the bridge's user namespace shows them. What it does not know has the overflow id there, which names
 * nobody. Any thread.
 */
final class Access {
    /** {@code /proc/sys/kernel/overflowuid} and {@code overflowgid}, as nobody changes them. */
    private static final int OVERFLOW_ID = 65534;

    private final int privilegedGid;
    private final boolean knowsAllIds;

    /** @param privilegedGid of the group; negative for none */
    Access(int privilegedGid) {
        this(privilegedGid, knowsAllIds());
    }

    Access(int privilegedGid, boolean knowsAllIds) {
        this.privilegedGid = privilegedGid;
        this.knowsAllIds = knowsAllIds;
    }

    /** Whether this process is in a user namespace that has all ids, as the first one. */
    private static boolean knowsAllIds() {
        try {
            return Files.readString(Path.of("/proc/self/uid_map")).strip().matches("0\\s+0\\s+4294967295");
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isSomebody(int id) {
        return knowsAllIds || id != OVERFLOW_ID;
    }

    /** Whether who made a connection may change anything. */
    boolean isPrivileged(Credentials opener) {
        return opener.uid() == 0 || privilegedGid >= 0 && isSomebody(privilegedGid) && opener.isIn(privilegedGid);
    }

    /**
     * The same of who sends a message through the connection of a privileged opener. The kernel tells its user and
     * group, and no other group it is in: members are who have the group, or are the user that opened as a member.
     *
     * @param uid the sender's real user, -1 if unknown
     * @param gid the sender's real group, -1 if unknown
     */
    boolean trusts(int openerUid, int uid, int gid) {
        boolean isMember = privilegedGid >= 0 && isSomebody(privilegedGid) && gid == privilegedGid;
        return uid == 0 || uid != -1 && (isMember || uid == openerUid && isSomebody(uid));
    }
}
