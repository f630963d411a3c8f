package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Gives databases the policies that a bridge had when it ended. Runs before anything else uses them: limits in seconds
 * go on from where they were, by an engine of its own, whose clock stands where each policy was first added.
 *
 * <p>A journal that is not whole, whatever became of the rest of it, closes: policies that let packets pass do not come
 * back, as others may have been above them, and what no policy protects is blocked by default verdicts. Those stay
 * until a client sets others.
 */
public final class PolicyRestore {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyRestore.class);
    private static final String CLOSED =
            "the bridge that ended could not write all policies down: nothing passes but what policies protect, until "
                    + "you have installed them anew and say 'xfrm-bridge exec -- ip xfrm policy setdefault in accept "
                    + "fwd accept out accept', or end the bridge and say 'xfrm-bridge detach'";
    private static final int BLOCK = 1;

    private final ByteBuffer journal;
    private final NetlinkSession session;
    private final RestoreClock clock;
    private long leftOut;
    private long entries;
    private int refused;

    private PolicyRestore(ByteBuffer journal, XfrmService service, RestoreClock clock) {
        this.clock = clock;
        this.journal = journal.order(ByteOrder.nativeOrder());
        this.session = new NetlinkSession(service, new NetlinkKeyManager(), this::count, 0, true);
    }

    /**
     * Replays the journal of a directory, if there is one.
     *
     * @return whether all that was there has come back; else it is closed
     */
    public static boolean run(Path directory, Databases databases, Clock clock) throws IOException {
        RestoreClock replayClock = new RestoreClock(clock);
        XfrmEngine engine = XfrmEngine.builder(databases, replayClock).build();
        boolean whole = replay(directory, engine, replayClock);
        if (!whole) {
            close(engine);
            LOG.error(CLOSED);
        }
        int[] policies = engine.policyCounts().global();
        LOG.info(
                "policies of the bridge that ended are back: {} in, {} out, {} fwd",
                policies[0],
                policies[1],
                policies[2]);
        return whole;
    }

    /** What the policies of a directory's journal protect. Never fails: what cannot be read is not counted. */
    public static Protection protection(Path directory) {
        RestoreClock clock = new RestoreClock(new SystemClock());
        XfrmEngine engine = XfrmEngine.builder(new Databases(), clock).build();
        try {
            if (!replay(directory, engine, clock)) {
                close(engine);
            }
        } catch (IOException e) {
            LOG.warn("the journal of policies cannot be read: {}", e.getMessage());
        }
        return Protection.of(engine);
    }

    private static boolean replay(Path directory, XfrmService service, RestoreClock clock) throws IOException {
        PolicyRestore replay = new PolicyRestore(JournalFile.read(directory, PolicyJournal.NAME), service, clock);
        replay.replay();
        return replay.isWhole(EntryCount.read(directory));
    }

    private void replay() {
        readHead();
        while (hasMessage()) {
            int lengthBytes = NetlinkHeader.align(journal.getInt(journal.position()));
            ByteBuffer entry = journal.slice(journal.position(), lengthBytes).order(ByteOrder.nativeOrder());
            clock.turnBack(addSeconds(entry));
            session.receive(entry);
            journal.position(journal.position() + lengthBytes);
            entries++;
        }
        clock.turnBack(0);
        session.close();
    }

    private void readHead() {
        if (hasMessage()
                && journal.getInt(0) == JournalEntry.Head.BYTES
                && NetlinkHeader.read(journal, 0).type() == JournalEntry.Head.TYPE) {
            leftOut = journal.getLong(NetlinkHeader.BYTES);
            journal.position(JournalEntry.Head.BYTES);
        }
    }

    /** @param expected what {@link EntryCount} says; a bridge that ended before it had either file had no policies */
    private boolean isWhole(long expected) {
        boolean none = expected == EntryCount.NONE && entries == 0 && leftOut == 0;
        boolean whole = !journal.hasRemaining() && refused == 0 && (none || expected == leftOut + entries);
        if (!whole) {
            LOG.warn(
                    "the journal of policies is not whole: {} of {} entries, {} bytes behind them, {} refused",
                    entries,
                    expected == EntryCount.NONE ? "unknown" : expected - leftOut,
                    journal.remaining(),
                    refused);
        }
        return whole;
    }

    private static void close(XfrmService service) {
        Dump<Policy> all = service.policies(null);
        try {
            for (Policy policy = all.next(); policy != null; policy = all.next()) {
                PolicySpec spec = policy.spec();
                if (Protection.letsPass(spec)) {
                    service.deletePolicy(
                            new PolicyKey(
                                    spec.type(),
                                    spec.direction(),
                                    spec.index(),
                                    spec.selector(),
                                    spec.mark(),
                                    spec.ifId(),
                                    null),
                            Origin.KERNEL);
                }
            }
            service.setDefaults(new XfrmService.Defaults(BLOCK, BLOCK, BLOCK), Origin.KERNEL);
        } catch (XfrmException e) {
            throw new IllegalStateException("a policy of the journal cannot be closed", e);
        }
    }

    private static long addSeconds(ByteBuffer entry) {
        boolean policy = NetlinkHeader.read(entry, 0).type() == XfrmMessage.UPDPOLICY
                && entry.limit() >= NetlinkHeader.BYTES + UserpolicyInfo.BYTES;
        return policy
                ? UserpolicyInfo.read(entry.duplicate().order(entry.order()).position(NetlinkHeader.BYTES))
                        .current()
                        .addSeconds()
                : 0;
    }

    /** Every entry was written padded, so that one which is cut short ends what can be read. */
    private boolean hasMessage() {
        if (journal.remaining() < NetlinkHeader.BYTES) {
            return false;
        }
        int lengthBytes = journal.getInt(journal.position());
        return lengthBytes >= NetlinkHeader.BYTES
                && lengthBytes <= journal.remaining()
                && lengthBytes % NetlinkHeader.ALIGNMENT == 0;
    }

    /** Only refusals are answered: no entry asks for an acknowledgement. See {@link MessageSink}. */
    private boolean count(ByteBuffer refusal) {
        refused++;
        return true;
    }
}
