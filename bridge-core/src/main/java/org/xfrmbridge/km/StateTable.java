package org.xfrmbridge.km;

import java.util.function.Consumer;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

/**
 * The way in and out of the {@link Sad}: what goes with it is done here, for every verb and timer alike. A State that comes is watched by
 * timers; of one that goes the timers are stopped and the keys cleared. Control thread only.
 */
final class StateTable {
    private final Sad sad;
    private final BareTunnels tunnels;
    private final Acquires acquires;
    private MemoryReserve reserve = MemoryReserve.ENDLESS;
    private StateExpiry expiry;
    private ReplayNotices replayNotices;
    private NatKeepalives keepalives;
    private Consumer<State> wiper = state -> {};

    StateTable(Sad sad, Acquires acquires) {
        this.sad = sad;
        this.acquires = acquires;
        tunnels = new BareTunnels(sad);
    }

    /** Before the first State comes: some of them need the table, too. */
    void watch(StateExpiry stateExpiry, ReplayNotices notices, NatKeepalives natKeepalives) {
        expiry = stateExpiry;
        replayNotices = notices;
        keepalives = natKeepalives;
    }

    void setReserve(MemoryReserve newReserve) {
        reserve = newReserve;
    }

    /** Before one more State is made for a request: ENOMEM if there is no memory for it. */
    void requireRoom() throws XfrmException {
        reserve.requireRoom();
    }

    void setWiper(Consumer<State> newWiper) {
        wiper = newWiper;
    }

    /** {@code xfrm_id_proto_match} with IPSEC_PROTO_ANY, which matches itself, too: protocols whose States are named by Spi. */
    static boolean isIpsec(int protocol) {
        return switch (protocol) {
            case IpProtocol.ESP, IpProtocol.AH, IpProtocol.COMP, IpProtocol.IPSEC_ANY -> true;
            default -> false;
        };
    }

    /** The State a new one would collide with, or an update is for. */
    State locate(StateSpec spec) {
        return sad.locate(spec);
    }

    State lookup(StateKey key) {
        return sad.lookup(key.id(), key.family(), bits(key.mark()));
    }

    State lookupByAddress(StateKey key) {
        return sad.lookupByAddress(key.id().daddr(), key.saddr(), key.id().protocol(), key.family(), bits(key.mark()));
    }

    State larvalAnsweredBy(StateSpec spec) {
        return Larvals.answeredBy(spec, sad);
    }

    /** {@code xfrm_state_insert}: from here on its mark is what the mask lets through. */
    void install(State state) {
        StateSpec spec = state.spec();
        if (!spec.mark().equals(spec.mark().sanitized())) {
            StateSpec.Builder sanitized = spec.toBuilder();
            sanitized.mark = spec.mark().sanitized();
            state.respec(sanitized.build());
        }
        link(state);
    }

    /** {@code __find_acq_core}, which leaves the mark as the client gave it. */
    void installLarval(State state) {
        link(state);
    }

    private void link(State state) {
        state.watch = new StateWatch(state, expiry);
        tunnels.attach(state);
        sad.insert(state);
        expiry.start(state);
        replayNotices.start(state);
        keepalives.start(state);
    }

    void retire(State state) {
        retire(state, () -> {});
    }

    /** @param announcement tells of it: the State is {@link State.Phase#DEAD} by then and still has its keys, which a DELSA event shows */
    void retire(State state, Runnable announcement) {
        sad.remove(state);
        tunnels.detach(state);
        expiry.stop(state);
        replayNotices.stop(state);
        keepalives.stop(state);
        acquires.end(state);
        announcement.run();
        state.wipeKeys();
        if (state.isUsed()) {
            wiper.accept(state);
        }
    }

    /** @param protocol 0 for all, 255 for AH, ESP and IPComp. @return whether there were any */
    boolean retireAll(int protocol) {
        Dump<State> all = sad.walk(state -> !state.isBeside() && isOf(state.id().protocol(), protocol));
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

    private static boolean isOf(int protocol, int wanted) {
        return wanted == 0 || protocol == wanted || (wanted == IpProtocol.IPSEC_ANY && isIpsec(protocol));
    }

    private static int bits(Mark mark) {
        return mark.value() & mark.mask();
    }
}
