package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Keeps every change of the policies in DIR/policies as the NETLINK_XFRM request that would make it: a bridge that
 * takes over from one that died gives them to {@link PolicyRestore} before a packet passes. Keys are never in it, and
 * no policies of sockets, whose owners register them again. A policy that comes back was added when it first was, so
 * that its limits in seconds go on. Changes are gathered until {@link #flush}. What could not be written down is known
 * to be missing ({@link EntryCount}): while that is so, no policy is taken ({@link #beforePolicyChange}), and it is
 * tried again. Control thread only, but for {@link #begin} before it starts, and {@link #leave} or {@link #end} after
 * it ended.
 */
public final class PolicyJournal implements ChangeListener {
    static final String NAME = "policies";
    private static final String CONSEQUENCE = "the next one lets nothing pass but what policies protect";

    private static final Logger LOG = LoggerFactory.getLogger(PolicyJournal.class);

    /** A journal that is shorter is not worth tidying. */
    private static final int SHORT_ENTRIES = 1 << 12;

    /** Under load tidying would cost as much as the changes: then it waits until most of the journal is of no use. */
    private static final int LONG_ENTRIES = 1 << 18;

    /** Rounds can be long: no more is gathered in one. */
    private static final int MOST_GATHERED = 1 << 10;

    /** Writing so many takes a client's time, a tenth of a millisecond; more take the time of a thread. */
    private static final int FEW_ENTRIES = 256;

    private final Path directory;
    private final XfrmService service;
    private EntryCount count;
    private final JournalWriter writer;
    private List<JournalEntry> gathered = new ArrayList<>();

    /** Those that were gathered are counted. */
    private long entries;

    private long living;

    /**
     * What is there now, and every change from now on, goes to a new journal; a directory's old one is replaced.
     *
     * @param threads makes the thread that writes floods
     */
    public static PolicyJournal begin(Path directory, XfrmService service, ThreadFactory threads) throws IOException {
        PolicyJournal journal = new PolicyJournal(directory, service, threads);
        service.listen(journal);
        return journal;
    }

    /** The same work for a journal that is kept nowhere. */
    public static PolicyJournal keptNowhere(XfrmService service, ThreadFactory threads) throws IOException {
        return begin(null, service, threads);
    }

    /** @param directory null for none */
    private PolicyJournal(Path directory, XfrmService service, ThreadFactory threads) throws IOException {
        this.directory = directory;
        this.service = service;
        try {
            count = directory == null ? EntryCount.nowhere() : EntryCount.open(directory, 0);
            writer = new JournalWriter(directory, NAME, CONSEQUENCE, threads, whole());
        } catch (IOException e) {
            throw new IOException(
                    "policies cannot be written down in %s: make room or choose another directory (%s)"
                            .formatted(directory, e.getMessage()),
                    e);
        }
    }

    /** Puts what was gathered where it outlives the process; called at the end of each round. */
    public void flush() {
        if (!gathered.isEmpty()) {
            flush(LONG_ENTRIES + 8 * living);
        }
    }

    /** Shortens the journal if most of it is of no use, and mends it if it is not whole; called every few seconds. */
    public void upkeep() {
        if (!writer.isBusy()) {
            writer.checkPlace();
        }
        if (writer.fault() != null) {
            mend();
        } else {
            flush(SHORT_ENTRIES + 2 * living);
        }
    }

    private void flush(long limitEntries) {
        handOver();
        if (entries > limitEntries) {
            writer.replace(whole());
        }
    }

    private void mend() {
        try {
            handOver();
            if (!count.isInPlace()) {
                count = EntryCount.open(directory, count.get());
            }
            if (living <= FEW_ENTRIES && !writer.isBusy()) {
                writer.replaceNow(whole());
            } else {
                writer.replace(whole());
            }
        } catch (IOException e) {
            LOG.debug("still: {}", e.getMessage());
        }
    }

    /**
     * A policy that would not come back must not seem to be there. Those that go are let go: at worst the next bridge
     * is closed for them.
     */
    @Override
    public void beforePolicyChange() throws XfrmException {
        if (writer.fault() == null) {
            return;
        }
        if (living <= FEW_ENTRIES && !writer.isBusy()) {
            mend();
        }
        String fault = writer.fault();
        if (fault != null) {
            throw new XfrmException(Errno.ENOSPC, "the bridge cannot write policies down, so it takes none: " + fault);
        }
    }

    private void handOver() {
        writer.append(gathered);
        gathered = new ArrayList<>();
    }

    /** Whether something that was flushed is still on its way to the file. */
    boolean isBusy() {
        return writer.isBusy();
    }

    /** The bridge ends, and all that is there is to come back. */
    public void leave() {
        if (writer.fault() != null) {
            mend();
        }
        flush();
        writer.end();
    }

    /** The bridge ends, and nothing is to come back. */
    public void end() throws IOException {
        writer.end();
        if (directory != null) {
            delete(directory);
        }
    }

    public static void delete(Path directory) throws IOException {
        JournalFile.delete(directory, NAME);
        EntryCount.delete(directory);
    }

    /** What makes a journal with all that is there now. */
    private List<JournalEntry> whole() {
        List<Policy> policies = oldestFirst();
        entries = policies.size() + 1L;
        living = entries;
        List<JournalEntry> whole = new ArrayList<>();
        whole.add(new JournalEntry.Head(count.get() - entries));
        whole.add(new JournalEntry.Verdicts(service.defaults()));
        for (Policy policy : policies) {
            whole.add(new JournalEntry.Put(policy));
        }
        return whole;
    }

    private List<Policy> oldestFirst() {
        List<Policy> policies = new ArrayList<>();
        Dump<Policy> walk = service.policies(null);
        for (Policy next = walk.next(); next != null; next = walk.next()) {
            if (!Spd.isSocketPolicy(next)) {
                policies.add(next);
            }
        }
        policies.sort((one, other) -> Long.compare(one.age(), other.age()));
        return policies;
    }

    private void put(JournalEntry entry) {
        count.increment();
        gathered.add(entry);
        entries++;
        if (gathered.size() == MOST_GATHERED) {
            handOver();
        }
    }

    @Override
    public void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {
        switch (change) {
            case NEW -> {
                put(new JournalEntry.Put(policy));
                living++;
            }
            case UPDATE -> put(new JournalEntry.Put(policy));
            case DELETE -> putRemoval(policy);
        }
    }

    private void putRemoval(Policy policy) {
        put(new JournalEntry.Removal(policy.spec()));
        living--;
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        put(new JournalEntry.Put(policy));
    }

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {
        put(new JournalEntry.Flush(type));
        // Of the other type there may be some left: writing the journal anew will count them.
        living = 0;
    }

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {
        if (hard) {
            putRemoval(policy);
        }
    }

    @Override
    public void defaultsChanged(XfrmService.Defaults defaults, Origin origin) {
        put(new JournalEntry.Verdicts(defaults));
    }
}
