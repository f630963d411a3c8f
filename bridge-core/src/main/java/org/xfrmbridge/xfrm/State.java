package org.xfrmbridge.xfrm;

import org.xfrmbridge.esp.KeyMaterial;
import org.xfrmbridge.esp.OutboundSequence;
import org.xfrmbridge.esp.OutboundSequence.Overflow;
import org.xfrmbridge.esp.ReplaySnapshot;
import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.esp.Suite;

/**
 * One security association in the {@link org.xfrmbridge.db.Sad Sad}; {@code struct xfrm_state}.
 *
 * <p>The control thread alone creates it, changes its spec and moves its {@link Phase}. Datapath threads read those, count in
 * {@link #usage}, {@link #sequence} and {@link #replayWindow}, and own what they build on first use ({@link #outbound}, {@link #inbound}:
 * one thread each). Nothing is counted by reference: a State that left the tables is {@link Phase#DEAD}, and who still holds it sees that.
 *
 * <p>Keys: the spec's are read by the control thread alone. Datapath threads take theirs from {@link #suite}, which keeps copies that may
 * be wiped at any moment: a transform made or first used after that answers {@code WIPED}, never with a key half cleared.
 */
public final class State {
    private record ReplayMark(int oseq, int seq, int step) {}

    /** {@code km.state}. Larval States are ACQUIRING until the key manager answers. */
    public enum Phase {
        ACQUIRING,
        VALID,
        ERROR,
        EXPIRED,
        DEAD
    }

    private final Suite suite;
    private final KeyMaterial[] keys;
    private volatile StateSpec spec;
    private volatile Phase phase;
    private volatile boolean dying;
    private volatile Usage usage;
    private volatile ReplayWindow replayWindow;
    private volatile OutboundSequence sequence;
    private volatile int integrityFailures;
    private volatile ReplayMark replayMark = new ReplayMark(0, 0, 1);

    /** What the outbound datapath thread built for this State on its first packet; only that thread touches it. */
    public Object outbound;

    /** The same for the inbound datapath thread. */
    public Object inbound;

    /** What the control thread keeps beside this State, its timers among them; only that thread touches it. */
    public Object watch;

    /** Where the {@link org.xfrmbridge.db.Sad Sad} keeps this State, null outside of it; only the control thread touches it. */
    public Object place;

    /** A larval State, or one that carries no packets: it has no algorithms. */
    public State(StateSpec spec, Phase phase, Usage usage) {
        this(spec, phase, usage, null);
    }

    /**
     * @param suite the algorithms of the spec, ready to use
     * @param keys what the suite was made with, to be wiped with the State
     */
    public State(StateSpec spec, Phase phase, Usage usage, Suite suite, KeyMaterial... keys) {
        this.spec = spec;
        this.phase = phase;
        this.usage = usage;
        this.suite = suite;
        this.keys = keys;
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

    public Usage usage() {
        return usage;
    }

    /** Control thread only: counters given by a client replace what was counted. */
    public void resetUsage(Usage newUsage) {
        usage = newUsage;
    }

    /** Where datapath threads get their transforms from; null if larval. */
    public Suite suite() {
        return suite;
    }

    /** Whether the control side made it, beside an IPComp tunnel ({@code xfrm_state_kern}): clients see it and cannot change it. */
    public boolean isBeside() {
        return suite instanceof Suite.Bare;
    }

    /** Control thread only, once the State has left the tables: clears every copy of its keys. */
    public void wipeKeys() {
        spec.wipeKeys();
        for (KeyMaterial key : keys) {
            key.wipe();
        }
    }

    /** Anti-replay of the inbound direction. Ask anew for every packet: a client may set another one. */
    public ReplayWindow replayWindow() {
        return replayWindow;
    }

    /** Sequence numbers of the outbound direction. Ask anew for every packet. */
    public OutboundSequence sequence() {
        return sequence;
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
     * Control thread only: starts window and sequence from the values a client gave, null for the beginning. The kind of window is the
     * spec's, as {@code xfrm_init_replay} chooses it; a bitmap must be as long as the spec's.
     */
    public void resetReplay(ReplayState from) {
        ReplayState start = from == null ? ReplayState.INITIAL : from;
        SequenceWidth width = spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT;
        boolean mayWrap = spec.hasExtraFlag(StateFlags.EXTRA_OSEQ_MAY_WRAP);
        sequence = new OutboundSequence(width, mayWrap ? Overflow.WRAP : Overflow.REFUSE, start.oseq(), start.oseqHigh());
        replayWindow = windowOf(start, width);
    }

    /**
     * Outbound datapath thread, while somebody listens: whether the number just used is far enough from the last one told of that {@link
     * org.xfrmbridge.km.DatapathEvents#replayAdvanced} is due.
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
        replayMark = new ReplayMark(told.oseq(), told.seq(), step);
    }

    /** The numbers as GETSA and GETAE export them. Any thread. */
    public ReplayState replaySnapshot() {
        ReplaySnapshot window = replayWindow.snapshot();
        long last = sequence.last();
        int windowBits = spec.hasReplayBitmap() ? spec.replay().windowBits() : 0;
        return new ReplayState((int) last, window.seq(), (int) (last >>> 32), window.seqHigh(), windowBits, window.bitmap());
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
