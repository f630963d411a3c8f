package org.xfrmbridge.daemon.control;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.daemon.host.SocketEntry;
import org.xfrmbridge.daemon.host.SocketTable;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * One socket of the kernel of which clients have said something, as {@link SocketRegistry} knows it. Control thread
 * only.
 */
final class RegisteredSocket {
    final long cookie;
    final long inode;
    /** The connections of clients that have it. */
    final Set<Object> holders = new HashSet<>();
    /** What was said of it, by what each line is about. */
    private final Map<String, String> said = new LinkedHashMap<>();

    LocalEndpoint at;
    boolean hasListened;
    /** How often it was not found, one time after the other. */
    int absences;

    long lookNs;
    long unheldNs;
    private boolean seen;

    RegisteredSocket(long cookie, long inode) {
        this.cookie = cookie;
        this.inode = inode;
    }

    boolean isTcp() {
        return at != null && at.protocol() == IpProtocol.TCP && at.port() > 0;
    }

    /** Whether the kernel tells of its end, and nothing else does in time. */
    boolean isAwaited() {
        boolean floats = at != null && IpProtocol.hasPorts(at.protocol()) && at.port() <= 0;
        return at != null && SocketTable.knows(at.protocol()) && (holders.isEmpty() || floats);
    }

    /** Itself among others of its port, or null. */
    SocketEntry find(List<SocketEntry> all) {
        for (SocketEntry entry : all) {
            if (entry.cookie() == cookie) {
                seen = true;
                hasListened |= entry.isListening();
                return entry;
            }
        }
        return null;
    }

    /** Whether the kernel lists it: before Linux 6.8 not a TCP socket that does nothing yet. */
    boolean wouldBeFound() {
        return at.protocol() != IpProtocol.TCP || seen;
    }

    /** @param about what takes the place of what was said before; null for all policies */
    void say(String about, String line) {
        if (about == null) {
            said.keySet().removeIf(known -> known.startsWith(SocketRegistry.POLICY));
        } else {
            // Behind what was said earlier: the socket may have moved since.
            said.remove(about);
            said.put(about, line);
        }
    }

    /** All that was said, in that order. */
    List<String> lines() {
        return new ArrayList<>(said.values());
    }

    /** What this one says of its policies, as it would be said of another. */
    Map<String, String> policiesFor(long other) {
        Map<String, String> lines = new LinkedHashMap<>();
        said.forEach((about, line) -> {
            if (about.startsWith(SocketRegistry.POLICY)) {
                String[] parts = line.split(" ");
                parts[1] = String.valueOf(other);
                lines.put(about, String.join(" ", parts));
            }
        });
        return lines;
    }
}
