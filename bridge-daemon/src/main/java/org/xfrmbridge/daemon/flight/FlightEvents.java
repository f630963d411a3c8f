package org.xfrmbridge.daemon.flight;

import java.util.EnumMap;
import java.util.Map;
import java.util.function.IntSupplier;
import jdk.jfr.FlightRecorder;
import org.xfrmbridge.daemon.figures.AcquireTimes;
import org.xfrmbridge.daemon.figures.CounterNames;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FiguresSource;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/**
 * Tells the Flight Recorder what changes. While nobody records, that is one question for each change and each batch of
 * packets, and no class of an event is loaded. Control thread, unless a method says otherwise.
 */
public final class FlightEvents implements ChangeListener {
    private final XfrmStats stats;
    private final Clock clock;
    private final AcquireTimes acquires;

    /** What was told of. The recorder's thread. */
    private final Map<DropReason, Long> toldDrops = new EnumMap<>(DropReason.class);

    private boolean tellsDrops;

    public FlightEvents(XfrmStats stats, Clock clock) {
        this.stats = stats;
        this.clock = clock;
        acquires = new AcquireTimes(FlightEvents::answered, clock);
    }

    private static boolean isRecording() {
        return FlightRecorder.isInitialized();
    }

    /** The same turn of a datapath thread, of which the recorder is told if it was a slow one. That thread. */
    public static IntSupplier recorded(String direction, IntSupplier turn) {
        return () -> isRecording() ? timed(direction, turn) : turn.getAsInt();
    }

    private static int timed(String direction, IntSupplier turn) {
        BatchEvent event = new BatchEvent();
        event.begin();
        int frames = turn.getAsInt();
        event.end();
        if (frames > 0 && event.shouldCommit()) {
            event.direction = direction;
            event.frames = frames;
            event.commit();
        }
        return frames;
    }

    /** Called now and then: from when somebody records on, drops are told of once a second. */
    public void upkeep() {
        if (!tellsDrops && isRecording()) {
            tellsDrops = true;
            FlightRecorder.addPeriodicEvent(DropsEvent.class, this::tellDrops);
        }
    }

    private void tellDrops() {
        for (DropReason reason : DropReason.values()) {
            long drops = stats.drops(reason);
            long told = toldDrops.getOrDefault(reason, 0L);
            if (drops != told) {
                toldDrops.put(reason, drops);
                DropsEvent event = new DropsEvent();
                event.reason = CounterNames.of(reason);
                event.packets = drops - told;
                event.inAll = drops;
                event.commit();
            }
        }
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        if (!isRecording()) {
            return;
        }
        SaChangeEvent event = new SaChangeEvent();
        if (event.isEnabled()) {
            Figures.Sa sa = sa(state);
            event.change = word(change);
            event.name(sa);
            event.algorithm = sa.algorithm();
            event.bytes = sa.bytes();
            event.packets = sa.packets();
            event.commit();
        }
        acquires.stateChanged(change, state, origin);
    }

    private Figures.Sa sa(State state) {
        return FiguresSource.of(state, clock.epochSeconds());
    }

    private static String word(Change change) {
        return switch (change) {
            case NEW -> "added";
            case UPDATE -> "updated";
            case DELETE -> "removed";
        };
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        if (!isRecording()) {
            return;
        }
        SaExpiredEvent event = new SaExpiredEvent();
        if (event.isEnabled()) {
            Figures.Sa sa = sa(state);
            event.hard = hard;
            event.name(sa);
            event.bytes = sa.bytes();
            event.packets = sa.packets();
            event.commit();
        }
    }

    @Override
    public void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {
        if (isRecording()) {
            tell(word(change), policy);
        }
    }

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {
        if (isRecording()) {
            tell(hard ? "expired" : "reached its soft limit", policy);
        }
    }

    private static void tell(String change, Policy policy) {
        PolicyChangeEvent event = new PolicyChangeEvent();
        if (event.isEnabled()) {
            Figures.PolicyUse use = FiguresSource.of(policy);
            event.change = change;
            event.direction = use.direction();
            event.index = use.index();
            event.priority = use.priority();
            event.selector = use.selector();
            event.commit();
        }
    }

    @Override
    public void acquireSent(Acquire acquire) {
        if (!isRecording()) {
            return;
        }
        AcquireEvent event = new AcquireEvent();
        if (event.isEnabled()) {
            Figures.Sa wanted = sa(acquire.larval());
            event.name(wanted);
            event.policy = Integer.toUnsignedLong(acquire.policy().spec().index());
            event.commit();
        }
        acquires.acquireSent(acquire);
    }

    private static void answered(State state, long waitedNs) {
        AcquireAnswerEvent event = new AcquireAnswerEvent();
        if (event.isEnabled()) {
            Figures.Sa sa = FiguresSource.of(state, state.addSeconds());
            event.name(sa);
            event.waited = waitedNs;
            event.commit();
        }
    }
}
