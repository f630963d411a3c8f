package org.xfrmbridge.datapath;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.xfrmbridge.datapath.PacketRecord.Decision;
import org.xfrmbridge.datapath.PacketRecord.Moved;
import org.xfrmbridge.datapath.PacketRecord.Need;
import org.xfrmbridge.datapath.PacketRecord.Outcome;
import org.xfrmbridge.datapath.PacketRecord.Passage;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What one datapath thread shows of its packets. The path notes here what it finds out, in fields that are there
 * already; only for a drop, or while somebody watches, a {@link PacketRecord} is made of them. The path's thread
 * writes, any thread reads what is kept.
 */
final class PacketSight {
    /** Drops that are looked at; of more the counters tell. */
    static final int MOST_PER_SECOND = 1000;

    /** Of a frame that is shown; longer ones are cut. */
    private static final int MOST_FRAME_BYTES = 1 << 14;

    private static final long SECOND_NS = 1_000_000_000L;

    /** Between two batches that are shown to who samples: 200 in a second, of some dozen packets at most. */
    private static final long SAMPLE_NS = 5_000_000L;

    private static final VarHandle KEPT;
    private static final VarHandle UNSEEN;

    static {
        try {
            KEPT = MethodHandles.lookup().findVarHandle(PacketSight.class, "kept", long.class);
            UNSEEN = MethodHandles.lookup().findVarHandle(PacketSight.class, "unseen", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final PacketLog log;
    private final AtomicReferenceArray<PacketRecord> drops = new AtomicReferenceArray<>(PacketLog.KEPT_DROPS);
    private long kept;
    private long unseen;
    private long secondBeganNs = Long.MIN_VALUE;
    private int inSecond;

    /** Who samples; packets since the batch that was sampled last, which was then. */
    private PacketSampler sampler;

    private long unsampled;
    private long sampledNs;
    /** Of the packets of this batch; 0 if it is none that is sampled. */
    private double weight;

    private PacketWatch[] watches = {};
    private boolean watched;
    private boolean showsFrames;
    private long nowNs;

    /** The path's own. */
    private final Flow flow;
    /** Whether it is the packet's at hand. */
    private boolean isRead;

    private int bytes;
    private byte[] before;
    /** What rules it, if that is known; whether that was worked out for it. */
    private OutboundRoute route;

    private boolean isResolved;
    /** Of a packet that is dropped: the State that it is at, and its number there. */
    private State state;

    private long sequence;
    private boolean encapsulated;
    /** Of a packet that somebody is to be shown for that, whatever becomes of it. */
    private Moved moved;

    /** What it names and is not there; 0 for nothing. */
    private int spi;

    private int named;
    private int limitBytes;

    /** @param flow what packets are decoded into */
    PacketSight(PacketLog log, Flow flow) {
        this.log = log;
        this.flow = flow;
    }

    /** A batch of so many packets: who watches now sees all of it. */
    void beginBatch(long batchNs, int packets) {
        nowNs = batchNs;
        weight = 0;
        watches = log.watches();
        watched = false;
        showsFrames = false;
        for (PacketWatch watch : watches) {
            watched |= watch.scope() != PacketWatch.Scope.DROPS;
            showsFrames |= watch.scope() == PacketWatch.Scope.ALL_WITH_FRAMES;
        }
        PacketSampler asked = log.sampler();
        if (asked != null) {
            sample(asked, packets);
        }
    }

    private void sample(PacketSampler asked, int packets) {
        if (asked != sampler) {
            sampler = asked;
            unsampled = 0;
            sampledNs = nowNs - SAMPLE_NS;
        }
        unsampled += packets;
        if (packets > 0 && nowNs - sampledNs >= SAMPLE_NS) {
            sampledNs = nowNs;
            weight = (double) unsampled / packets;
            unsampled = 0;
            watched = true;
        }
    }

    /** A packet, of which nothing is known yet. */
    void begin(PacketBuffer frame) {
        isRead = false;
        isResolved = false;
        moved = null;
        route = null;
        bytes = frame.length;
        if (showsFrames) {
            before = bytesOf(frame);
        }
    }

    void read(IpPacket packet) {
        isRead = true;
        bytes = packet.length;
    }

    /** Outbound: its route, fresh or remembered, was not what it needs. */
    void resolved() {
        isResolved = true;
    }

    void route(OutboundRoute found) {
        route = found;
    }

    /** It is dropped, as it is longer than that. */
    void tooLong(int limit) {
        limitBytes = limit;
    }

    /** It is dropped at a State. @param number there; 0 for none */
    void at(State where, long number) {
        state = where;
        sequence = number;
    }

    /** It is dropped, as nothing has that name. @param protocol of what it names, 0 for nothing */
    void names(int protocol, int unknownSpi, boolean inUdp) {
        named = protocol;
        spi = unknownSpi;
        encapsulated = inUdp;
    }

    /** Its peer is elsewhere than agreed. */
    void moved(StateSpec agreed, Address to, int toPort) {
        if (watches.length > 0) {
            moved = new Moved(
                    agreed.family(), agreed.saddr(), agreed.encapsulation().sport(), to, toPort);
        }
    }

    /** Whether the packet is to be shown although it is not dropped. */
    boolean isWatched() {
        return watched || moved != null;
    }

    /** Outbound. @param end what it is dropped for, null if it goes out */
    void showOut(DropCause end, IpPacket packet) {
        if (!isWanted(end)) {
            forgetEnd();
            return;
        }
        Bundle bundle = route == null ? null : route.bundle;
        List<Passage> passages = new ArrayList<>();
        boolean atEnd = false;
        for (int i = 0; bundle != null && i < bundle.steps() && !atEnd; i++) {
            State each = bundle.step(i).state();
            atEnd = each == state;
            // One that was refused before it came to a State has no number.
            boolean isNumbered = each.isUsed() && (end == null || state != null);
            passages.add(Passage.of(each, isNumbered ? each.sequence().last() : 0));
        }
        Outcome outcome = bundle == null ? Outcome.PASSED : Outcome.PROTECTED;
        int mtuBytes = bundle == null ? 0 : bundle.linkMtu();
        Policy[] policies = route == null ? OutboundRoute.NO_POLICIES : route.policies;
        Decision decision = route == null ? Decision.NONE : isResolved ? Decision.RESOLVED : Decision.CACHED;
        Need need = route == null ? null : route.need;
        show(Direction.OUT, end, outcome, decision, policies, need, passages, mtuBytes, packet);
    }

    /**
     * Inbound.
     *
     * @param end what it is dropped for, null if it goes on to the host
     * @param verdict null if policies were not asked
     * @param isDecided whether that was worked out for it
     */
    void showIn(
            Direction direction,
            DropCause end,
            SecPath path,
            PolicyCheck.Verdict verdict,
            boolean isDecided,
            IpPacket packet) {
        if (!isWanted(end)) {
            forgetEnd();
            return;
        }
        List<Passage> passages = new ArrayList<>();
        for (int i = 0; i < path.length(); i++) {
            passages.add(Passage.of(path.get(i), path.sequence(i)));
        }
        if (end != null && state != null) {
            passages.add(Passage.of(state, sequence));
        }
        Policy[] policies = verdict == null ? OutboundRoute.NO_POLICIES : verdict.policies();
        Need need = verdict == null || verdict.unmet() == null
                ? null
                : new Need(policies[0], verdict.unmet(), null, null, null);
        Outcome outcome = path.isEmpty() ? Outcome.PASSED : Outcome.OPENED;
        Decision decision = verdict == null ? Decision.NONE : isDecided ? Decision.RESOLVED : Decision.CACHED;
        show(direction, end, outcome, decision, policies, need, passages, 0, packet);
    }

    /** Of drops no more than so many in a second, unless somebody watches. */
    private boolean isWanted(DropCause end) {
        return end == null ? isWatched() : watches.length > 0 || weight > 0 || isToBeKept();
    }

    private boolean isToBeKept() {
        if (nowNs - secondBeganNs >= SECOND_NS || secondBeganNs == Long.MIN_VALUE) {
            secondBeganNs = nowNs;
            inSecond = 0;
        }
        if (inSecond < MOST_PER_SECOND) {
            inSecond++;
            return true;
        }
        UNSEEN.setOpaque(this, unseen + 1);
        return false;
    }

    private void show(
            Direction direction,
            DropCause end,
            Outcome outcome,
            Decision decision,
            Policy[] policies,
            Need need,
            List<Passage> passages,
            int mtuBytes,
            IpPacket packet) {
        PacketRecord shown = new PacketRecord(
                nowNs,
                direction,
                end == null ? outcome : Outcome.DROPPED,
                end,
                isRead ? new Flow().copyFrom(flow) : null,
                bytes,
                limitBytes,
                decision,
                List.of(policies),
                need,
                List.copyOf(passages),
                spi,
                named,
                encapsulated,
                moved,
                mtuBytes,
                showsFrames ? before : null,
                showsFrames && end == null ? after(outcome, packet) : null);
        forgetEnd();
        if (end != null) {
            drops.set((int) (kept % PacketLog.KEPT_DROPS), shown);
            KEPT.setRelease(this, kept + 1);
        }
        for (PacketWatch watch : watches) {
            watch.offer(shown);
        }
        if (weight > 0) {
            sampler.sample(shown, weight);
        }
    }

    /** What is known of a drop alone is not the next packet's. */
    private void forgetEnd() {
        state = null;
        sequence = 0;
        encapsulated = false;
        named = 0;
        spi = 0;
        limitBytes = 0;
    }

    /** What passes goes on as it came; all else may have another link header than the buffer still has. */
    private byte[] after(Outcome outcome, IpPacket packet) {
        if (outcome == Outcome.PASSED) {
            return before;
        }
        byte[] frame = new byte[packet.linkBytes + Math.min(packet.length, MOST_FRAME_BYTES)];
        packet.copyLink(frame);
        Ethernet.putType(frame, 0, packet.linkBytes, packet.isIpv4() ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        System.arraycopy(packet.data(), packet.offset, frame, packet.linkBytes, frame.length - packet.linkBytes);
        return frame;
    }

    private static byte[] bytesOf(PacketBuffer frame) {
        return Arrays.copyOfRange(frame.data, frame.offset, frame.offset + Math.min(frame.length, MOST_FRAME_BYTES));
    }

    /** Any thread. One that is written at the moment may be left out. */
    void addDropsTo(List<PacketRecord> all) {
        long end = (long) KEPT.getAcquire(this);
        for (long i = Math.max(0, end - PacketLog.KEPT_DROPS); i < end; i++) {
            all.add(drops.get((int) (i % PacketLog.KEPT_DROPS)));
        }
    }

    /** Any thread. */
    long unseenDrops() {
        return (long) UNSEEN.getOpaque(this);
    }
}
