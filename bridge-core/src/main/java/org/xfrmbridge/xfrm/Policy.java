package org.xfrmbridge.xfrm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.xfrmbridge.time.Timer;

/**
 * One entry of the {@link org.xfrmbridge.db.Spd Spd}; {@code struct xfrm_policy}. Its spec never changes: an update is
 * a new Policy in the old one's place. The control thread creates it and marks it dead; datapath threads read it and
 * {@link #touch} it.
 */
public final class Policy {
    private static final VarHandle ENTRY = handle("entry", DatabaseEntry.class);
    private static final VarHandle USAGE = handle("usage", Usage.class);

    /** Of a Policy that is not in the Spd yet, and so not dead either. */
    private static final DatabaseEntry<Policy> NOT_YET = () -> null;

    private final PolicySpec spec;
    private final long age;
    private final long addSeconds;
    private volatile Usage usage;
    private DatabaseEntry<Policy> entry = NOT_YET;
    private Timer<Runnable> timer;

    /**
     * @param spec with its final index
     * @param age position in the order of insertion
     */
    public Policy(PolicySpec spec, long age, long nowSeconds) {
        this.spec = spec;
        this.age = age;
        addSeconds = nowSeconds;
    }

    /** The Policy that takes over this one's age and counters with another spec of the same name. */
    public Policy successor(PolicySpec newSpec) {
        Policy successor = new Policy(newSpec, age, addSeconds);
        successor.usage = usage;
        return successor;
    }

    public PolicySpec spec() {
        return spec;
    }

    public long age() {
        return age;
    }

    /** When it was used; what one sees of a Policy that was not is a copy. Any thread. */
    public Usage usage() {
        Usage known = usage;
        return known == null ? new Usage(addSeconds) : known;
    }

    /**
     * A datapath thread has used it. A Policy tells its last use, and its limits of use run from there: it ends when
     * idle.
     */
    public void touch(long nowSeconds) {
        Usage known = usage;
        if (known == null) {
            known = new Usage(addSeconds);
            usage = known;
        }
        known.renew(nowSeconds);
    }

    /** The same where other threads may use it at the same time. */
    public void touchShared(long nowSeconds) {
        if (usage == null) {
            USAGE.compareAndSet(this, null, new Usage(addSeconds));
        }
        usage.renewShared(nowSeconds);
    }

    /**
     * Where the {@link org.xfrmbridge.db.Spd Spd} keeps it: an entry of nothing before it does, null once it has left.
     * Only the Spd asks.
     */
    @SuppressWarnings("unchecked")
    public DatabaseEntry<Policy> entry() {
        return (DatabaseEntry<Policy>) ENTRY.getAcquire(this);
    }

    /**
     * Only the Spd's control thread, which is all that writes: other threads see it before anything that the control
     * thread publishes later. That needs no fence, which would be a twentieth of an update.
     *
     * @param newEntry null when it leaves: it is dead, and bundles and flow entries made from it are stale from now on
     */
    public void setEntry(DatabaseEntry<Policy> newEntry) {
        ENTRY.setRelease(this, newEntry);
    }

    /** Whether it has left the Spd. Any thread. */
    public boolean isDead() {
        return entry() == null;
    }

    /** The timer of its limits, null if it has none. Control thread only. */
    public Timer<Runnable> timer() {
        return timer;
    }

    /** Control thread only. */
    public void setTimer(Timer<Runnable> limitsTimer) {
        timer = limitsTimer;
    }

    private static VarHandle handle(String field, Class<?> type) {
        try {
            return MethodHandles.lookup().findVarHandle(Policy.class, field, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Override
    public String toString() {
        return "policy " + spec.index() + " " + spec.direction() + " priority "
                + Integer.toUnsignedString(spec.priority());
    }
}
