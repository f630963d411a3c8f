package org.xfrmbridge.xfrm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Function;
import org.xfrmbridge.esp.OutboundSequence;
import org.xfrmbridge.esp.OutboundSequence.Overflow;
import org.xfrmbridge.esp.ReplaySnapshot;
import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.esp.Wipeable;
import org.xfrmbridge.time.Timer;

/**
 * One security association in the {@link org.xfrmbridge.db.Sad Sad}; {@code struct xfrm_state}.
 *
 * <p>The control thread alone creates it, changes its spec and moves its {@link Phase}. Datapath threads read those,
 * count in {@link #usage}, {@link #sequence} and {@link #replayWindow}, and own what they build on first use
 * ({@link #outbound}, {@link #inbound}: one thread each, its owner where there are several). Nothing is counted by
 * reference: a State that left the tables is {@link Phase#DEAD}, and who still holds it sees that. What only packets
 * need (suite, window, sequence, counters) is made for the first one: a million States wait for theirs.
 *
 * <p>Keys may be wiped at any moment: a transform made or first used after that answers {@code WIPED}, never with a key
 * half cleared.
 */
public final class State {
    private record ReplayMark(int oseq, int seq, int step) {
        /** Where States begin: told of nothing, with the step of most. */
        static final ReplayMark START = new ReplayMark(0, 0, 2);
    }

    /** Sequence numbers in use, in place of the {@link ReplayState} that they start from. */
    private record Counting(ReplayWindow window, OutboundSequence sequence) {}

    /** Made where a direction has more than one thread; States that count as one share them. */
    private record Owners(StateOwner outbound, StateOwner inbound) {}

    private static final VarHandle NUMBERS;
    private static final VarHandle OWNERS;
    private static final VarHandle USAGE;

    static {
        try {
            NUMBERS = MethodHandles.lookup().findVarHandle(State.class, "numbers", Object.class);
            USAGE = MethodHandles.lookup().findVarHandle(State.class, "usage", Usage.class);
            OWNERS = MethodHandles.lookup().findVarHandle(State.class, "owners", Owners.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** {@code km.state}. Larval States are ACQUIRING until the key manager answers. */
    public enum Phase {
        ACQUIRING,
        VALID,
        ERROR,
        EXPIRED,
        DEAD
    }

    private final Function<StateSpec, Suite> suites;
    private volatile Suite suite;
    private volatile StateSpec spec;
    private volatile Phase phase;
    private volatile boolean dying;
    private volatile long addSeconds;
    /** Null until a packet comes or a client gives counters. */
    private volatile Usage usage;

    private volatile int integrityFailures;

    /** A ReplayState until a packet comes, then Counting. */
    private volatile Object numbers;

    private volatile ReplayMark replayMark = ReplayMark.START;

    private volatile Owners owners;

    private Wipeable outbound;
    private Wipeable inbound;
    private Timer<Runnable> timer;
    private DatabaseEntry<State> entry;

    /** A larval State, or one that carries no packets: it has no algorithms. */
    public State(StateSpec spec, Phase phase, Usage usage) {
        this(spec, phase, usage, any -> null);
    }

    /** @param suite the algorithms of the spec, ready to use; without keys of its own */
    public State(StateSpec spec, Phase phase, Usage usage, Suite suite) {
        this(spec, phase, usage, any -> null);
        this.suite = suite;
    }

    /** @param suites makes the algorithms of the spec ready to use, for the first packet; may be asked twice */
    public State(StateSpec spec, Phase phase, Usage usage, Function<StateSpec, Suite> suites) {
        this.spec = spec;
        this.phase = phase;
        this.suites = suites;
        resetUsage(usage);
        resetReplay(spec.replay());
    }

    public StateSpec spec() {
        return spec;
    }

    /** Control thread only: an update of addresses, lifetimes or encapsulation of a live State. */
    public void respec(StateSpec newSpec) {
        spec = newSpec;
    }

    public StateId id() {
        return spec.id();
    }

    /** Whether it is ESP in another protocol: what the mapping of a NAT concerns. */
    public boolean isEncapsulatedEsp() {
        return id().protocol() == IpProtocol.ESP && spec.encapsulation() != null;
    }

    public Phase phase() {
        return phase;
    }

    /** Control thread only. */
    public void enter(Phase next) {
        phase = next;
    }

    public boolean isValid() {
        return phase == Phase.VALID;
    }

    /** Whether a soft limit was reached; {@code km.dying}. A younger State is preferred to a dying one. */
    public boolean isDying() {
        return dying;
    }

    public void setDying(boolean value) {
        dying = value;
    }

    /** What it has carried; what one sees of a State that has carried nothing is a copy. Any thread. */
    public Usage usage() {
        Usage known = usage;
        return known == null ? new Usage(addSeconds) : known;
    }

    /**
     * Whether it is over a soft or hard limit of bytes or packets that nobody has acted on yet;
     * {@code xfrm_state_check_expire}. Asked before a packet is counted, so that the one which crosses a limit passes.
     */
    public boolean isLimitReached() {
        return isSpent() || !dying && spec.lifetime().isSoftReached(usage());
    }

    /** Whether it is over a hard one, and carries nothing any more. */
    public boolean isSpent() {
        return spec.lifetime().isHardReached(usage());
    }

    /** When it was added, in seconds since the epoch: decides which State is preferred. */
    public long addSeconds() {
        return addSeconds;
    }

    /** The datapath thread that uses it: counts one packet. */
    public void count(long packetBytes, long nowSeconds) {
        counted().count(packetBytes, nowSeconds);
    }

    private Usage counted() {
        Usage known = usage;
        if (known == null) {
            USAGE.compareAndSet(this, null, new Usage(addSeconds));
            known = usage;
        }
        return known;
    }

    /** Control thread only: counters given by a client replace what was counted. */
    public void resetUsage(Usage newUsage) {
        addSeconds = newUsage.addSeconds();
        usage = newUsage.isUnused() ? null : newUsage;
    }

    /** Where datapath threads get their transforms from; null if larval. */
    public Suite suite() {
        Suite made = suite;
        if (made == null) {
            made = suites.apply(spec);
            suite = made;
        }
        return made;
    }

    /**
     * Whether the control side made it, beside an IPComp tunnel ({@code xfrm_state_kern}): clients see it and cannot
     * change it.
     */
    public boolean isInternal() {
        return suite instanceof Suite.Ipip;
    }

    /** Which outbound thread it belongs to, where there are several. Any thread. */
    public StateOwner outboundOwner() {
        return owners().outbound;
    }

    /** The same for the inbound threads. */
    public StateOwner inboundOwner() {
        return owners().inbound;
    }

    private Owners owners() {
        Owners known = owners;
        if (known == null) {
            OWNERS.compareAndSet(this, null, new Owners(new StateOwner(), new StateOwner()));
            known = owners;
        }
        return known;
    }

    /**
     * What the outbound datapath thread built on its first packet, null before. That thread only, like the next two.
     */
    public Wipeable outbound() {
        return outbound;
    }

    public void setOutbound(Wipeable built) {
        outbound = built;
    }

    /** The State has gone. */
    public void wipeOutbound() {
        if (outbound != null) {
            outbound.wipe();
        }
    }

    /** The same for the inbound datapath thread. */
    public Wipeable inbound() {
        return inbound;
    }

    public void setInbound(Wipeable built) {
        inbound = built;
    }

    public void wipeInbound() {
        if (inbound != null) {
            inbound.wipe();
        }
    }

    /** The timer of its lifetime, null before it is set. Control thread only. */
    public Timer<Runnable> timer() {
        return timer;
    }

    /** Control thread only. */
    public void setTimer(Timer<Runnable> lifetimeTimer) {
        timer = lifetimeTimer;
    }

    /** Where the {@link org.xfrmbridge.db.Sad Sad} keeps it, null outside of it. Control thread only. */
    public DatabaseEntry<State> entry() {
        return entry;
    }

    /** The Sad's control thread only. */
    public void setEntry(DatabaseEntry<State> newEntry) {
        entry = newEntry;
    }

    /** Control thread only, once the State has left the tables: clears its keys. */
    public void wipeKeys() {
        spec.wipeKeys();
    }

    /** Anti-replay of the inbound direction. Ask anew for every packet: a client may set another one. */
    public ReplayWindow replayWindow() {
        return counting().window;
    }

    /** Sequence numbers of the outbound direction. Ask anew for every packet. */
    public OutboundSequence sequence() {
        return counting().sequence;
    }

    private Counting counting() {
        Object current = numbers;
        while (current instanceof ReplayState start) {
            NUMBERS.compareAndSet(this, start, counting(start));
            current = numbers;
        }
        return (Counting) current;
    }

    private Counting counting(ReplayState start) {
        SequenceWidth width = spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT;
        Overflow overflow = spec.hasExtraFlag(StateFlags.EXTRA_OSEQ_MAY_WRAP) ? Overflow.WRAP : Overflow.REFUSE;
        return new Counting(
                windowOf(start, width), new OutboundSequence(width, overflow, start.oseq(), start.oseqHigh()));
    }

    /** Whether packets may have come to it: without any, nothing was made of its keys. */
    public boolean isUsed() {
        return numbers instanceof Counting;
    }

    /** Inbound datapath thread only: a packet's ICV was wrong. */
    public void countIntegrityFailure() {
        integrityFailures = integrityFailures + 1;
    }

    /** {@code xfrm_stats.integrity_failed}. Any thread. */
    public int integrityFailures() {
        return integrityFailures;
    }

    /**
     * Control thread only: starts window and sequence from the values a client gave, null for the beginning. The kind
     * of window is the spec's, as {@code xfrm_init_replay} chooses it; a bitmap must be as long as the spec's. One that
     * is used stays so, as ciphers may have been made for it.
     */
    public void resetReplay(ReplayState from) {
        ReplayState start = from == null ? ReplayState.INITIAL : from;
        Object current;
        do {
            current = numbers;
        } while (!NUMBERS.compareAndSet(this, current, current instanceof Counting ? counting(start) : start));
    }

    /**
     * Control thread only: takes the place of a State of the same shape. From now on both count as one, for packets may
     * be on their way through the other: no sequence number is used twice, none is taken twice, and all are counted.
     */
    public void succeed(State other) {
        numbers = other.counting();
        addSeconds = other.addSeconds;
        usage = other.counted();
        owners = other.owners();
    }

    /**
     * Outbound datapath thread, while somebody listens: whether the number just used is far enough from the last one
     * told of that {@link org.xfrmbridge.km.DatapathEvents#replayAdvanced} is due.
     */
    public boolean isSentNoticeDue(int oseq) {
        ReplayMark mark = replayMark;
        return oseq - mark.oseq >= mark.step;
    }

    /** The same for the inbound datapath thread and a number just seen. */
    public boolean isReceivedNoticeDue(int seq) {
        ReplayMark mark = replayMark;
        return seq - mark.seq >= mark.step;
    }

    /** Control thread only: the numbers listeners know, and how many more there may be before they hear again. */
    public void markReplay(ReplayState told, int step) {
        boolean atStart = (told.oseq() | told.seq()) == 0 && step == ReplayMark.START.step;
        replayMark = atStart ? ReplayMark.START : new ReplayMark(told.oseq(), told.seq(), step);
    }

    /** The numbers as GETSA and GETAE export them. Any thread. */
    public ReplayState replaySnapshot() {
        Object current = numbers;
        boolean bitmap = spec.hasReplayBitmap();
        if (current == ReplayState.INITIAL && !bitmap) {
            return ReplayState.INITIAL;
        }
        Counting counting = current instanceof ReplayState start ? counting(start) : (Counting) current;
        ReplaySnapshot window = counting.window.snapshot();
        long last = counting.sequence.last();
        if (!bitmap) {
            return new ReplayState((int) last, window.seq(), 0, 0, 0, window.bitmap());
        }
        ReplayState given = spec.replay();
        // Numbers of 32 bits leave the high halves as the client set them.
        int oseqHigh = spec.isEsn() ? (int) (last >>> 32) : given.oseqHigh();
        int seqHigh = spec.isEsn() ? window.seqHigh() : given.seqHigh();
        return new ReplayState((int) last, window.seq(), oseqHigh, seqHigh, given.windowBits(), window.bitmap());
    }

    private ReplayWindow windowOf(ReplayState start, SequenceWidth width) {
        ReplaySnapshot initial = new ReplaySnapshot(start.seq(), start.seqHigh(), start.bitmap());
        if (!spec.hasReplayBitmap()) {
            return ReplayWindow.legacy(spec.replayWindow(), initial);
        }
        int windowBits = spec.replay().windowBits();
        // An outbound State has no window, and without one there is nothing to infer high halves from.
        return ReplayWindow.bitmap(windowBits, windowBits == 0 ? SequenceWidth.SHORT : width, initial);
    }

    @Override
    public String toString() {
        return "state " + spec.id() + " reqid " + spec.reqid() + " " + spec.mode() + " " + phase;
    }
}
