package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.SystemClock;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.server.NetlinkCaller;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;

/** Gives a service the policies that a bridge had when it died. Runs before anything else uses the service. */
public final class PolicyReplay {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyReplay.class);

    private final ByteBuffer journal;
    private final NetlinkSession session;
    private final ReplayClock clock;
    private int refused;

    private PolicyReplay(ByteBuffer journal, XfrmService service, ReplayClock clock) {
        this.clock = clock;
        this.journal = journal.order(ByteOrder.nativeOrder());
        this.session = new NetlinkSession(service, new NetlinkKeyManager(), this::count, new NetlinkCaller(0, true));
    }

    /**
     * Replays the journal of a directory, if there is one. Other key managers of the service, if there are any, hear of it.
     *
     * @param clock of the service: limits in seconds go on from where they were
     */
    public static void run(Path directory, XfrmService service, ReplayClock clock) throws IOException {
        new PolicyReplay(PolicyFile.read(directory), service, clock).run(service);
    }

    /** What the policies of a directory's journal protect. Never fails: what cannot be read is not counted. */
    public static Protection protection(Path directory) {
        ReplayClock clock = new ReplayClock(new SystemClock());
        XfrmEngine engine = new XfrmEngine(new Sad(), new Spd(), clock, new SecureRandom(), () -> {});
        try {
            new PolicyReplay(PolicyFile.read(directory), engine, clock).replay();
        } catch (IOException e) {
            LOG.warn("the journal of policies cannot be read: {}", e.getMessage());
        }
        return Protection.of(engine);
    }

    private void replay() {
        while (hasMessage()) {
            int lengthBytes = NetlinkHeader.align(journal.getInt(journal.position()));
            ByteBuffer entry = journal.slice(journal.position(), lengthBytes).order(ByteOrder.nativeOrder());
            clock.turnBack(addSeconds(entry));
            session.receive(entry);
            journal.position(journal.position() + lengthBytes);
        }
        clock.turnBack(0);
        session.close();
    }

    private void run(XfrmService service) {
        replay();
        if (journal.hasRemaining() || refused > 0) {
            LOG.warn("the journal of policies is damaged: {} bytes at its end and {} entries are left out", journal.remaining(), refused);
        }
        int[] policies = service.policyCounts().global();
        LOG.info("policies of the bridge that died are back: {} in, {} out, {} fwd", policies[0], policies[1], policies[2]);
    }

    private static long addSeconds(ByteBuffer entry) {
        boolean policy = NetlinkHeader.read(entry, 0).type() == XfrmMessage.UPDPOLICY
                && entry.limit() >= NetlinkHeader.BYTES + UserpolicyInfo.BYTES;
        return policy ? UserpolicyInfo.read(entry.duplicate().order(entry.order()).position(NetlinkHeader.BYTES)).current().addSeconds() : 0;
    }

    /** Every entry was written padded, so that one which is cut short ends what can be read. */
    private boolean hasMessage() {
        if (journal.remaining() < NetlinkHeader.BYTES) {
            return false;
        }
        int lengthBytes = journal.getInt(journal.position());
        return lengthBytes >= NetlinkHeader.BYTES && lengthBytes <= journal.remaining() && lengthBytes % NetlinkHeader.ALIGNMENT == 0;
    }

    /** Only refusals are answered: no entry asks for an acknowledgement. See {@link MessageSink}. */
    private boolean count(ByteBuffer refusal) {
        refused++;
        return true;
    }
}
