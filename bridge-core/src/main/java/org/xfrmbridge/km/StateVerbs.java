package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.XfrmService.ReplayUpdate;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * NEWSA, UPDSA, DELSA, GETSA, FLUSHSA, NEWAE and EXPIRE: the request handlers of {@code xfrm_user.c} with
 * {@code xfrm_state_add} and {@code xfrm_state_update}. Each refuses before it changes anything. Control thread only.
 */
final class StateVerbs {
    /** {@code XFRM_AE_CU}: a client changed the counters. */
    private static final int AE_CLIENT_UPDATE = 64;

    private final StateLifecycle states;
    private final StateExpiry expiry;
    private final ReplayNotices replayNotices;
    private final KeyManagers keyManagers;
    private final Clock clock;

    StateVerbs(
            StateLifecycle states,
            StateExpiry expiry,
            ReplayNotices replayNotices,
            KeyManagers keyManagers,
            Clock clock) {
        this.states = states;
        this.expiry = expiry;
        this.replayNotices = replayNotices;
        this.keyManagers = keyManagers;
        this.clock = clock;
    }

    State add(StateSpec request, Origin origin) throws XfrmException {
        State state = construct(request, origin);
        try {
            requireNew(state.spec());
        } catch (XfrmException refusal) {
            state.wipeKeys();
            throw refusal;
        }
        State larval = states.larvalAnsweredBy(state.spec());
        states.install(state);
        if (larval != null) {
            states.retire(larval);
        }
        keyManagers.stateChanged(Change.NEW, state, origin);
        return state;
    }

    State update(StateSpec request, Origin origin) throws XfrmException {
        State wanted = construct(request, origin);
        boolean byMark = origin.via() == Origin.Interface.NETLINK;
        State old = byMark ? states.updatedBy(wanted.spec()) : states.locate(wanted.spec());
        try {
            requireUpdatable(old, wanted.spec());
            if (old.phase() == State.Phase.ACQUIRING) {
                states.requireRoom();
            }
        } catch (XfrmException refusal) {
            wanted.wipeKeys();
            throw refusal;
        }
        if (old.phase() == State.Phase.ACQUIRING) {
            states.install(wanted);
            states.retire(old);
            keyManagers.stateChanged(Change.UPDATE, wanted, origin);
            return wanted;
        }
        adopt(old, wanted.spec());
        expiry.restart(old);
        adoptWay(old, wanted.spec());
        expiry.endSpent(old);
        // What listeners hear of is the request, as in the kernel, and not the State that adopted parts of it.
        wanted.enter(State.Phase.DEAD);
        keyManagers.stateChanged(Change.UPDATE, wanted, origin);
        wanted.wipeKeys();
        return old;
    }

    void delete(StateKey key, Origin origin) throws XfrmException {
        State state = get(key);
        if (state.isInternal()) {
            throw new XfrmException(Errno.EPERM);
        }
        states.retire(state, RemovedStates.End.DELETED, () -> keyManagers.stateChanged(Change.DELETE, state, origin));
    }

    /** {@code xfrm_user_state_lookup}. */
    State get(StateKey key) throws XfrmException {
        boolean bySpi = StateLifecycle.isIpsec(key.id().protocol());
        if (!bySpi && key.saddr() == null) {
            throw new XfrmException(Errno.EINVAL, "states of this protocol are named with their source address");
        }
        return existing(bySpi ? states.lookup(key) : states.lookupByAddress(key), Errno.ESRCH);
    }

    State getBySpi(StateKey key) throws XfrmException {
        return existing(states.lookup(key), Errno.ESRCH);
    }

    void flush(int protocol, Origin origin) throws XfrmException {
        if (!states.retireAll(protocol)) {
            throw new XfrmException(Errno.ESRCH);
        }
        keyManagers.tell(km -> km.statesFlushed(protocol, origin));
    }

    /** {@code xfrm_new_ae}. */
    void updateReplay(ReplayUpdate update, Origin origin) throws XfrmException {
        boolean empty = update.replay() == null
                && update.bitmap() == null
                && update.usage() == null
                && update.replayMaxDifference() == StateSpec.ABSENT
                && update.replayMaxAge() == StateSpec.ABSENT;
        refuseIf(empty, "there is nothing to update");
        refuseIf(!update.replace(), "the request needs NLM_F_REPLACE");
        State state = existing(states.lookup(update.key()), Errno.ESRCH);
        refuseIf(!state.isValid(), "the state is not in use yet, or no more");
        verifyShape(state.spec(), update.bitmap());
        apply(state, update);
        keyManagers.tell(km -> km.replayChanged(state, AE_CLIENT_UPDATE, origin));
    }

    /** {@code xfrm_add_sa_expire}. */
    void expire(StateKey key, boolean hard, Origin origin) throws XfrmException {
        State state = existing(states.lookup(key), Errno.ENOENT);
        refuseIf(!state.isValid(), "the state is not in use yet, or no more");
        keyManagers.stateExpired(state, hard, origin.portId());
        if (hard) {
            states.retire(state);
        }
    }

    /**
     * The keys of a request are ours from here on: a refused one's are cleared, too. What PF_KEY asks for only the
     * transform judges, as in a kernel.
     */
    private State construct(StateSpec request, Origin origin) throws XfrmException {
        try {
            if (origin.via() == Origin.Interface.NETLINK) {
                StateRules.verify(request);
            }
            return states.construct(request);
        } catch (XfrmException refusal) {
            request.wipeKeys();
            throw refusal;
        }
    }

    private void requireNew(StateSpec spec) throws XfrmException {
        if (states.locate(spec) != null) {
            throw new XfrmException(Errno.EEXIST);
        }
        states.requireRoom();
    }

    private static void requireUpdatable(State old, StateSpec wanted) throws XfrmException {
        existing(old, Errno.ESRCH);
        StateSpec spec = old.spec();
        boolean larval = old.phase() == State.Phase.ACQUIRING;
        boolean sameDirection = spec.direction() == wanted.direction() || (larval && wanted.direction() == 0);
        if (!sameDirection) {
            throw new XfrmException(Errno.ESRCH);
        }
        if (!larval) {
            refuseIf(!old.isValid(), null);
            refuseIf(encapsulationType(spec) != encapsulationType(wanted), null);
        }
    }

    private static int encapsulationType(StateSpec spec) {
        Encapsulation encapsulation = spec.encapsulation();
        return encapsulation == null ? 0 : encapsulation.type();
    }

    /** What a live State takes over of an update: lifetimes and addresses behind a NAT; never keys or counters. */
    private void adopt(State state, StateSpec wanted) {
        StateSpecBuilder spec = state.spec().toBuilder().encapsulation(wanted.encapsulation());
        if (wanted.careOfAddress() != null && spec.careOfAddress() != null) {
            spec.careOfAddress(wanted.careOfAddress());
        }
        if (!StateLifecycle.isIpsec(wanted.id().protocol())) {
            spec.selector(wanted.selector());
        }
        spec.lifetime(wanted.lifetime());
        states.respec(state, spec.build());
    }

    /** And the way its packets take, once a new soft limit has been told of. */
    private void adoptWay(State state, StateSpec wanted) {
        StateSpecBuilder spec = state.spec().toBuilder();
        if (wanted.outputMark() != null && !wanted.outputMark().isNone()) {
            spec.outputMark(wanted.outputMark());
        }
        if (wanted.ifId() != 0) {
            spec.ifId(wanted.ifId());
        }
        states.respec(state, spec.build());
    }

    /** {@code xfrm_replay_verify_len}: a bitmap cannot change its length; to a State without one it means nothing. */
    private static void verifyShape(StateSpec spec, ReplayState replay) throws XfrmException {
        if (replay != null && spec.hasReplayBitmap()) {
            refuseIf(replay.bitmap().length != spec.replay().bitmap().length, "the replay bitmap has another length");
            int bits = replay.bitmap().length * Integer.SIZE;
            refuseIf(
                    Integer.compareUnsigned(replay.windowBits(), bits) > 0,
                    "the replay window is larger than its bitmap");
        }
    }

    /** {@code xfrm_update_ae_params}. */
    private void apply(State state, ReplayUpdate update) {
        StateSpecBuilder spec = state.spec().toBuilder();
        ReplayState replay = state.spec().hasReplayBitmap() ? update.bitmap() : update.replay();
        if (update.replayMaxDifference() != StateSpec.ABSENT) {
            spec.replayMaxDifference((int) update.replayMaxDifference());
        }
        if (update.replayMaxAge() != StateSpec.ABSENT) {
            spec.replayMaxAge((int) update.replayMaxAge());
        }
        if (update.mappingMaxAgeSeconds() != StateSpec.ABSENT) {
            spec.mappingMaxAgeSeconds((int) update.mappingMaxAgeSeconds());
        }
        if (replay != null) {
            spec.replay(replay);
        }
        states.respec(state, spec.build());
        if (replay != null) {
            state.resetReplay(replay);
        }
        replayNotices.setByClient(state);
        StateSpec.LifetimeCurrent usage = update.usage();
        if (usage != null) {
            states.resetUsage(state, new Usage(usage.bytes(), usage.packets(), usage.addSeconds(), usage.useSeconds()));
        }
    }

    private static State existing(State state, Errno otherwise) throws XfrmException {
        if (state == null) {
            throw new XfrmException(otherwise);
        }
        return state;
    }
}
