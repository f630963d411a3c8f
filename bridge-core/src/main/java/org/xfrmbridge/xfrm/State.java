package org.xfrmbridge.xfrm;

/**
 * One security association in the {@link org.xfrmbridge.db.Sad Sad}; {@code struct xfrm_state}.
 *
 * <p>The control thread alone creates it, changes its spec and moves its {@link Phase}. Datapath threads read those, count in
 * {@link #usage}, and own what they build on first use ({@link #outbound}, {@link #inbound}: one thread each). Nothing is counted by
 * reference: a State that left the tables is {@link Phase#DEAD}, and who still holds it sees that.
 */
public final class State {
    /** {@code km.state}. Larval States are ACQUIRING until the key manager answers. */
    public enum Phase {
        ACQUIRING,
        VALID,
        ERROR,
        EXPIRED,
        DEAD
    }

    private volatile StateSpec spec;
    private volatile Phase phase;
    private volatile boolean dying;
    private volatile Usage usage;

    /** What the outbound datapath thread built for this State on its first packet; only that thread touches it. */
    public Object outbound;

    /** The same for the inbound datapath thread. */
    public Object inbound;

    public State(StateSpec spec, Phase phase, Usage usage) {
        this.spec = spec;
        this.phase = phase;
        this.usage = usage;
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

    @Override
    public String toString() {
        return "state " + spec.id() + " reqid " + spec.reqid() + " " + spec.mode() + " " + phase;
    }
}
