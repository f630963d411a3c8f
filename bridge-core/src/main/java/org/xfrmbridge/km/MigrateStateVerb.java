package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * MIGRATE_STATE: {@code xfrm_do_migrate_state} of Linux 7.2. The new State goes on counting where the old one counts,
 * so that no sequence number is used twice; refused, it has changed nothing. Control thread only.
 */
final class MigrateStateVerb {
    private static final int KNOWN_FLAGS = StateMigration.CLEAR_OFFLOAD | StateMigration.UPDATE_HOST_SELECTOR;

    private final StateLifecycle states;
    private final KeyManagers keyManagers;
    private final Clock clock;

    MigrateStateVerb(StateLifecycle states, KeyManagers keyManagers, Clock clock) {
        this.states = states;
        this.keyManagers = keyManagers;
        this.clock = clock;
    }

    State migrate(StateMigration migration, Origin origin) throws XfrmException {
        verify(migration);
        State old = states.lookup(migration.state());
        if (old == null) {
            throw new XfrmException(Errno.ESRCH, "there is no such state");
        }
        StateSpec wanted = spec(old, migration);
        State moved;
        try {
            requireRoom(old, wanted);
            moved = construct(wanted);
            if (!old.isValid()) {
                throw new XfrmException(Errno.ESRCH, "the state is not in use yet, or no more");
            }
        } catch (XfrmException refusal) {
            wanted.wipeKeys();
            throw refusal;
        }
        replace(old, moved);
        keyManagers.tell(km -> km.stateMigrated(migration, moved, origin));
        return moved;
    }

    private static void verify(StateMigration migration) throws XfrmException {
        refuseIf(migration.state().id().spi() == 0, "the SPI is missing");
        refuseIf((migration.flags() & ~KNOWN_FLAGS) != 0, "there are no such flags");
        refuseIf(!AddressFamily.isIp(migration.family()), "the new family is neither IPv4 nor IPv6");
        if (!migration.hasFlag(StateMigration.UPDATE_HOST_SELECTOR)) {
            StateRules.verifySelector(migration.selector(), migration.selector().family());
        }
        boolean both = migration.hasFlag(StateMigration.CLEAR_OFFLOAD) && migration.offloadFlags() != StateSpec.ABSENT;
        refuseIf(both, "offload is either cleared or set");
    }

    /** What the State will be; the keys are its own. */
    private static StateSpec spec(State old, StateMigration migration) throws XfrmException {
        StateSpec now = old.spec();
        Selector selector = selector(now, migration);
        Encapsulation encapsulation = encapsulation(now, migration);
        StateSpecBuilder spec = StateCopy.of(old)
                .id(new StateId(migration.daddr(), now.id().spi(), now.id().protocol()))
                .saddr(migration.saddr())
                .family(migration.family())
                .selector(selector)
                .reqid(migration.reqid())
                .mark(migration.mark() == null ? now.mark() : migration.mark())
                .outputMark(migration.outputMark() == null ? now.outputMark() : migration.outputMark())
                .encapsulation(encapsulation);
        // Both go with the encapsulation.
        spec.mappingMaxAgeSeconds(
                        encapsulation == null
                                ? 0
                                : migration.mappingMaxAgeSeconds().orElse(now.mappingMaxAgeSeconds()))
                .natKeepaliveSeconds(
                        encapsulation == null
                                ? 0
                                : migration.natKeepaliveSeconds().orElse(now.natKeepaliveSeconds()))
                .offloadFlags(migration.offloadFlags());
        return spec.build();
    }

    private static Selector selector(StateSpec now, StateMigration migration) throws XfrmException {
        if (!migration.hasFlag(StateMigration.UPDATE_HOST_SELECTOR)) {
            return migration.selector();
        }
        Selector s = now.selector();
        int bits = AddressFamily.bits(now.family());
        boolean ofHosts = s.saddrPrefix() == bits
                && s.daddrPrefix() == bits
                && s.daddr().equalsAs(now.id().daddr(), now.family())
                && s.saddr().equalsAs(now.saddr(), now.family());
        refuseIf(!ofHosts, "the state's selector is not that of its two addresses");
        int newBits = AddressFamily.bits(migration.family());
        return s.toBuilder()
                .family(migration.family())
                .saddr(migration.saddr(), newBits)
                .daddr(migration.daddr(), newBits)
                .build();
    }

    private static Encapsulation encapsulation(StateSpec now, StateMigration migration) throws XfrmException {
        Encapsulation given = migration.encapsulation();
        refuseIf(
                given != null && given.type() != 0 && given.type() != Encapsulation.UDP_ENCAP_ESPINUDP,
                "ESP in UDP is the only encapsulation there is");
        Encapsulation encapsulation = given == null ? now.encapsulation() : given.type() == 0 ? null : given;
        if (migration.mappingMaxAgeSeconds().isPresent()) {
            refuseIf(encapsulation == null, "MTIMER_THRESH belongs to states with encapsulation");
            refuseIf(now.direction() == StateSpec.DIRECTION_OUT, "MTIMER_THRESH belongs to input states");
        }
        refuseIf(
                migration.natKeepaliveSeconds().orElse(0) != 0 && encapsulation == null,
                "NAT keepalives need encapsulation in UDP");
        return encapsulation;
    }

    /**
     * No other State may have the very mark under the new name, nor, at another address, one that NEWSA would not stand
     * beside.
     */
    private void requireRoom(State old, StateSpec wanted) throws XfrmException {
        State same = states.lookup(new StateKey(wanted.id(), wanted.family(), wanted.mark(), null));
        boolean stays = old.id().daddr().equalsAs(wanted.id().daddr(), wanted.family());
        State fitting = stays ? null : states.locate(wanted);
        if (same != null && same != old || fitting != null && fitting != old) {
            throw new XfrmException(Errno.EEXIST, "there is another state of that name");
        }
    }

    /** Whatever is wrong with the new State, the answer is EINVAL. */
    private State construct(StateSpec wanted) throws XfrmException {
        State moved;
        try {
            moved = states.construct(wanted);
        } catch (XfrmException refusal) {
            throw new XfrmException(Errno.EINVAL, refusal.getMessage());
        }
        if (wanted.selector().family() == AddressFamily.UNSPEC) {
            // Construction names the family, as NEWSA does.
            StateSpecBuilder spec = moved.spec().toBuilder().selector(wanted.selector());
            moved.respec(spec.build());
        }
        return moved;
    }

    /** {@code xfrm_migrate_sync}, which copies the numbers once the old State sends no more; here both count as one. */
    private void replace(State old, State moved) {
        State larval = states.larvalAnsweredBy(moved.spec());
        states.retire(old, RemovedStates.End.MOVED, () -> {});
        moved.succeed(old);
        states.install(moved);
        if (larval != null) {
            states.retire(larval);
        }
    }
}
