package org.xfrmbridge.km;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * The way in and out of the {@link Sad}: what goes with it is done here, for every verb and timer alike. A State that
 * comes is watched by timers; of one that goes the timers are stopped and the keys cleared. Control thread only.
 */
final class StateLifecycle {
    private final Sad sad;
    private final IpipTunnels tunnels;
    private final PendingAcquires acquires;
    private final BooleanSupplier reserve;
    private final Consumer<State> wiper;
    private final StateExpiry expiry;
    private final ReplayNotices replayNotices;
    private final NatKeepalives keepalives;
    private final RemovedStates removed = new RemovedStates();
    private final RetiredTraffic retired = new RetiredTraffic();
    private final StateConstruction construction;
    private final Clock clock;

    StateLifecycle(XfrmEngine.Builder setup, PendingAcquires acquires, KeyManagers keyManagers, ControlTimers timers) {
        this.sad = setup.databases.sad();
        this.acquires = acquires;
        this.reserve = setup.reserve;
        this.wiper = setup.wiper;
        clock = setup.clock;
        construction = new StateConstruction(setup.cpus, clock);
        tunnels = new IpipTunnels(sad);
        expiry = new StateExpiry(this, keyManagers, timers, setup.clock);
        replayNotices = new ReplayNotices(keyManagers, timers);
        keepalives = new NatKeepalives(timers, setup.clock, setup.keepaliveSender);
    }

    RemovedStates removed() {
        return removed;
    }

    RetiredTraffic retiredTraffic() {
        return retired;
    }

    StateExpiry expiry() {
        return expiry;
    }

    ReplayNotices replayNotices() {
        return replayNotices;
    }

    /** A State as a verified request wants it, in no table yet. */
    State construct(StateSpec request) throws XfrmException {
        return construction.construct(request);
    }

    /** Whether the CPU is there that a State is for, if it is for one. */
    boolean hasCpu(StateSpec spec) {
        return construction.hasCpu(spec);
    }

    /** Before one more State is made for a request: ENOMEM if there is no memory for it. */
    void requireRoom() throws XfrmException {
        XfrmException.requireRoom(reserve);
    }

    /**
     * {@code xfrm_id_proto_match} with IPSEC_PROTO_ANY, which matches itself, too: protocols whose States are named by
     * Spi.
     */
    static boolean isIpsec(int protocol) {
        return switch (protocol) {
            case IpProtocol.ESP, IpProtocol.AH, IpProtocol.COMP, IpProtocol.IPSEC_ANY -> true;
            default -> false;
        };
    }

    /** The State a new one would collide with: a mark that fits is enough. */
    State locate(StateSpec spec) {
        return sad.locate(spec);
    }

    /**
     * The State that an update is for: the one with its very mark, or else a larval one that its mark fits, for who
     * asks for a Spi may not know the mark yet.
     */
    State updatedBy(StateSpec spec) {
        StateId id = spec.id();
        State named = isIpsec(id.protocol())
                ? sad.named(id, spec.family(), spec.mark())
                : sad.named(id.daddr(), spec.saddr(), id.protocol(), spec.family(), spec.mark());
        State fitting = named == null ? sad.locate(spec) : named;
        return fitting == named || fitting.phase() == State.Phase.ACQUIRING ? fitting : null;
    }

    State lookup(StateKey key) {
        return key.mark() == null
                ? sad.lookup(key.id(), key.family(), 0)
                : sad.named(key.id(), key.family(), key.mark());
    }

    State lookupByAddress(StateKey key) {
        StateId id = key.id();
        return key.mark() == null
                ? sad.lookupByAddress(id.daddr(), key.saddr(), id.protocol(), key.family(), 0)
                : sad.named(id.daddr(), key.saddr(), id.protocol(), key.family(), key.mark());
    }

    /**
     * The larval State that a new one is the answer to, by number or by what it is for, or null; as
     * {@code xfrm_state_add} looks.
     */
    State larvalAnsweredBy(StateSpec spec) {
        if (!isIpsec(spec.id().protocol())) {
            return null;
        }
        State larval = larvalBySequence(spec);
        return larval != null && larval.id().protocol() == spec.id().protocol() ? larval : sad.larval(spec);
    }

    /** The larval State of the number that a spec has, or null. */
    State larvalBySequence(StateSpec wanted) {
        if (wanted.seq() == 0) {
            return null;
        }
        int mark = wanted.mark().maskedValue();
        State larval = sad.larvalBySequence(wanted.seq(), mark, wanted.pcpu());
        boolean same =
                larval != null && larval.id().daddr().equalsAs(wanted.id().daddr(), wanted.family());
        return same ? larval : null;
    }

    /** {@code xfrm_state_insert}: from here on its mark is what the mask lets through. */
    void install(State state) {
        StateSpec spec = state.spec();
        if (!spec.mark().equals(spec.mark().sanitized())) {
            StateSpecBuilder sanitized = spec.toBuilder().mark(spec.mark().sanitized());
            state.respec(sanitized.build());
        }
        link(state);
    }

    /** {@code __find_acq_core}, which leaves the mark as the client gave it. */
    void installLarval(State state) {
        link(state);
    }

    private void link(State state) {
        state.setTimer(new StateTimer(state, expiry));
        if (state.id().protocol() == IpProtocol.COMP) {
            tunnels.attach(state);
        }
        sad.insert(state);
        expiry.start(state);
        replayNotices.start(state);
        if (state.spec().natKeepaliveSeconds() != 0) {
            keepalives.start(state);
        }
    }

    void retire(State state) {
        retire(state, RemovedStates.End.DELETED, () -> {});
    }

    /**
     * @param announcement tells of it: the State is {@link State.Phase#DEAD} by then and still has its keys, which a
     *     DELSA event shows
     */
    void retire(State state, RemovedStates.End end, Runnable announcement) {
        if (state.phase() != State.Phase.ACQUIRING) {
            removed.note(state, end, clock.nowNs());
        }
        sad.remove(state);
        if (state.id().protocol() == IpProtocol.COMP) {
            tunnels.detach(state);
        }
        expiry.stop(state);
        replayNotices.stop(state);
        keepalives.stop(state);
        acquires.end(state);
        announcement.run();
        state.wipeKeys();
        if (state.isUsed()) {
            retired.note(state);
            wiper.accept(state);
        }
    }

    /** @param protocol 0 for all, 255 for AH, ESP and IPComp. @return whether there were any */
    boolean retireAll(int protocol) {
        Dump<State> all =
                sad.walk(state -> !state.isInternal() && isOf(state.id().protocol(), protocol));
        boolean any = false;
        for (State state = all.next(); state != null; state = all.next()) {
            retire(state);
            any = true;
        }
        return any;
    }

    void respec(State state, StateSpec spec) {
        sad.respec(state, spec);
    }

    void resetUsage(State state, Usage usage) {
        sad.resetUsage(state, usage);
    }

    static boolean isOf(int protocol, int wanted) {
        return wanted == 0 || protocol == wanted || (wanted == IpProtocol.IPSEC_ANY && isIpsec(protocol));
    }
}
