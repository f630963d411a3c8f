package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.KeyManager;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.map.PolicyEncoder;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * Listens as a key manager that never answers, and keeps every change of the policies in DIR/policies as the NETLINK_XFRM request that would
 * make it: a bridge that takes over from one that died gives them to {@link PolicyReplay} before a packet passes. Keys are never in it, and no
 * policies of sockets, whose owners register them again. A policy that comes back was added when it first was, so that its limits in
 * seconds go on. Changes are gathered until {@link #flush}. Control thread only, but for {@link #begin} before it starts and {@link #end} after it ended.
 */
public final class PolicyJournal implements KeyManager {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyJournal.class);
    private static final int BUFFER_BYTES = 1 << 18;

    /** A journal that is shorter is not worth tidying. */
    private static final int SHORT_ENTRIES = 1 << 12;

    /** Under load tidying would cost as much as the changes: then it waits until most of the journal is of no use. */
    private static final int LONG_ENTRIES = 1 << 18;

    private final Path directory;
    private final XfrmService service;
    private final NetlinkWriter buffer = new NetlinkWriter(BUFFER_BYTES);
    private PolicyFile file;
    private long entries;
    private long living;

    /** What is there now, and every change from now on, goes to a new journal; a directory's old one is replaced. */
    public static PolicyJournal begin(Path directory, XfrmService service) throws IOException {
        PolicyJournal journal = new PolicyJournal(directory, service);
        journal.tidy();
        service.register(journal);
        return journal;
    }

    /** The same work for a journal that is kept nowhere. */
    public static PolicyJournal rehearse(XfrmService service) throws IOException {
        return begin(null, service);
    }

    /** @param directory null for none */
    private PolicyJournal(Path directory, XfrmService service) {
        this.directory = directory;
        this.service = service;
    }

    /** Puts what was gathered where it outlives the process; called at the end of each round. */
    public void flush() {
        if (file != null && buffer.sizeBytes() != 0) {
            flush(LONG_ENTRIES + 8 * living);
        }
    }

    /** Shortens the journal if most of it is of no use; called every few seconds. */
    public void shorten() {
        if (file != null) {
            flush(SHORT_ENTRIES + 2 * living);
        }
    }

    private void flush(long limitEntries) {
        try {
            append();
            if (entries > limitEntries) {
                tidy();
            }
        } catch (IOException e) {
            giveUp(e);
        }
    }

    private void giveUp(IOException reason) {
        LOG.error("policies would not outlive a crash of the bridge from now on: {}", reason.getMessage());
        close();
    }

    /** The bridge ends as it should: nothing is to come back. */
    public void end() throws IOException {
        close();
        if (directory != null) {
            delete(directory);
        }
    }

    public static void delete(Path directory) throws IOException {
        PolicyFile.delete(directory);
    }

    private void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            LOG.warn("the journal of policies could not be closed: {}", e.getMessage());
        }
        file = null;
    }

    private void append() throws IOException {
        file.append(buffer.written());
        buffer.truncate(0);
    }

    /** Writes a new file with what is there now. */
    private void tidy() throws IOException {
        close();
        entries = 0;
        file = directory == null ? PolicyFile.nowhere() : new PolicyFile(directory);
        putDefaults(service.defaults());
        for (Policy policy : oldestFirst()) {
            put(policy);
            if (isFull()) {
                append();
            }
        }
        append();
        file.publish();
        living = entries;
    }

    private List<Policy> oldestFirst() {
        List<Policy> policies = new ArrayList<>();
        Dump<Policy> walk = service.policies(null);
        for (Policy next = walk.next(); next != null; next = walk.next()) {
            if (!Spd.isSocketPolicy(next)) {
                policies.add(next);
            }
        }
        policies.sort(Comparator.comparingLong(Policy::age));
        return policies;
    }

    private NetlinkWriter begin(int type) {
        entries++;
        return buffer.begin(type, NetlinkHeader.REQUEST, 0, 0);
    }

    /** As an update, which needs no other to be gone first. */
    private void put(Policy policy) {
        begin(XfrmMessage.UPDPOLICY);
        PolicyEncoder.putInfo(buffer, policy);
        PolicyEncoder.putAttributes(buffer, policy.spec());
        buffer.end();
    }

    private void putRemoval(PolicySpec spec) {
        begin(XfrmMessage.DELPOLICY);
        new UserpolicyId(Selector.any(AddressFamily.UNSPEC), spec.index(), spec.direction().number())
                .write(buffer.room(UserpolicyId.BYTES));
        PolicyEncoder.putKeyAttributes(buffer, spec);
        buffer.end();
        living--;
    }

    private void putDefaults(XfrmService.Defaults defaults) {
        begin(XfrmMessage.SETDEFAULT);
        UserpolicyDefault.write(buffer.room(UserpolicyDefault.BYTES), defaults);
        buffer.end();
    }

    private boolean isFull() {
        return buffer.sizeBytes() > BUFFER_BYTES / 2;
    }

    /** Rounds can be long: no more is gathered than the buffer holds. */
    private void appendIfFull() {
        if (file == null) {
            buffer.truncate(0);
        } else if (isFull()) {
            try {
                append();
            } catch (IOException e) {
                giveUp(e);
            }
        }
    }

    @Override
    public void policyChanged(PolicyChange change, Policy policy, boolean byIndex, Origin origin) {
        if (change == PolicyChange.DELETE) {
            putRemoval(policy.spec());
        } else {
            put(policy);
            living += change == PolicyChange.NEW ? 1 : 0;
        }
        appendIfFull();
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        put(policy);
        appendIfFull();
    }

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {
        begin(XfrmMessage.FLUSHPOLICY);
        PolicyEncoder.putType(buffer, type);
        buffer.end();
        // Of the other type there may be some left: writing the journal anew will count them.
        living = 0;
    }

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {
        if (hard) {
            putRemoval(policy.spec());
        }
    }

    @Override
    public void defaultsChanged(XfrmService.Defaults defaults, Origin origin) {
        putDefaults(defaults);
    }
}
