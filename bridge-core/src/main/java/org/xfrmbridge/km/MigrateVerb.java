package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * MIGRATE: {@code xfrm_migrate} as of Linux 6.18, which finds the Policy by what traffic would match. A State moves by
 * being copied with everything it has; counters and sequence numbers are those of the old one, which goes when the
 * Policy has followed. Refused, it has changed nothing. Control thread only.
 */
final class MigrateVerb {
    private final Sad sad;
    private final Spd spd;
    private final StateLifecycle states;
    private final PolicyExpiry policyExpiry;
    private final KeyManagers keyManagers;
    private final Clock clock;

    MigrateVerb(
            Sad sad, Spd spd, StateLifecycle states, PolicyExpiry policyExpiry, KeyManagers keyManagers, Clock clock) {
        this.sad = sad;
        this.spd = spd;
        this.states = states;
        this.policyExpiry = policyExpiry;
        this.keyManagers = keyManagers;
        this.clock = clock;
    }

    void migrate(Migration migration) throws XfrmException {
        PolicyRules.requireType(migration.type());
        verify(migration.moves());
        Policy policy = policy(migration);
        Policy followed;
        List<State> left = new ArrayList<>();
        List<State> moved = new ArrayList<>();
        try {
            for (Move move : migration.moves()) {
                State state = find(move, migration.ifId());
                if (state != null) {
                    left.add(state);
                    moved.add(move(state, move, migration));
                }
            }
            followed = follow(policy, migration.moves());
        } catch (XfrmException refusal) {
            moved.forEach(states::retire);
            throw refusal;
        }
        left.stream().distinct().forEach(states::retire);
        keyManagers.tell(km -> km.migrated(migration, followed));
    }

    /** {@code xfrm_migrate_check}. */
    private static void verify(List<Move> moves) throws XfrmException {
        for (int i = 0; i < moves.size(); i++) {
            Move move = moves.get(i);
            refuseIf(isAny(move.newDaddr(), move) || isAny(move.newSaddr(), move), "a new address is missing");
            for (Move other : moves.subList(i + 1, moves.size())) {
                refuseIf(isSame(move, other), "two entries move the same");
            }
        }
    }

    private static boolean isAny(Address address, Move move) {
        return AddressFamily.isIp(move.newFamily()) && address.isAny(move.newFamily());
    }

    private static boolean isSame(Move one, Move other) {
        return one.oldDaddr().equals(other.oldDaddr())
                && one.oldSaddr().equals(other.oldSaddr())
                && one.protocol() == other.protocol()
                && one.mode() == other.mode()
                && one.reqid() == other.reqid()
                && one.oldFamily() == other.oldFamily();
    }

    private Policy policy(Migration migration) throws XfrmException {
        Direction direction = Direction.of(migration.direction());
        PolicyRules.requireDirection(direction);
        Selector selector = migration.selector();
        if (!AddressFamily.isIp(selector.family())) {
            throw new XfrmException(Errno.EAFNOSUPPORT, "there is no such policy");
        }
        Policy policy = spd.lookup(migration.type(), direction, flow(selector, migration.ifId()));
        if (policy == null) {
            throw new XfrmException(Errno.ENOENT, "there is no such policy");
        }
        return policy;
    }

    /** The first packet the selector matches: its ports and device count only if it names a protocol. */
    private static Flow flow(Selector selector, int ifId) {
        Flow flow = new Flow();
        flow.family = selector.family();
        flow.daddrHigh = selector.daddr().high();
        flow.daddrLow = flow.family == AddressFamily.INET6 ? selector.daddr().low() : 0;
        flow.saddrHigh = selector.saddr().high();
        flow.saddrLow = flow.family == AddressFamily.INET6 ? selector.saddr().low() : 0;
        flow.protocol = selector.protocol();
        flow.ifId = ifId;
        if (selector.protocol() != IpProtocol.IPSEC_ANY) {
            flow.ifindex = selector.ifindex();
            boolean ports = IpProtocol.hasPorts(selector.protocol());
            flow.sport = ports ? selector.sport() : 0;
            flow.dport = ports ? selector.dport() : 0;
        }
        return flow;
    }

    /** {@code xfrm_migrate_state_find}. A walk over all States: it is asked for rarely, and no table has these keys. */
    private State find(Move move, int ifId) {
        Dump<State> found = sad.walk(state -> {
            StateSpec spec = state.spec();
            return spec.family() == move.oldFamily()
                    && spec.mode().number() == move.mode()
                    && spec.id().protocol() == move.protocol()
                    && (move.reqid() == 0 || spec.reqid() == move.reqid())
                    && (ifId == 0 || spec.ifId() == ifId)
                    && spec.id().daddr().equalsAs(move.oldDaddr(), move.oldFamily())
                    && spec.saddr().equalsAs(move.oldSaddr(), move.oldFamily());
        });
        return found.next();
    }

    /** {@code xfrm_state_migrate}: whatever is wrong with the new State, the answer is ENODATA. */
    private State move(State state, Move move, Migration migration) throws XfrmException {
        StateSpec spec = copy(state, move, migration);
        try {
            boolean sameAddress = state.id().daddr().equalsAs(move.newDaddr(), AddressFamily.orIpv4(move.newFamily()));
            if (!sameAddress && states.locate(spec) != null) {
                throw new XfrmException(Errno.EEXIST);
            }
            State copy = states.construct(spec);
            copy.succeed(state);
            State larval = sameAddress ? null : states.larvalAnsweredBy(copy.spec());
            states.install(copy);
            if (larval != null) {
                states.retire(larval);
            }
            return copy;
        } catch (XfrmException refusal) {
            spec.wipeKeys();
            throw new XfrmException(Errno.ENODATA, refusal.getMessage());
        }
    }

    /** All of a State, under its new addresses. */
    private static StateSpec copy(State state, Move move, Migration migration) {
        StateSpecBuilder spec = StateCopy.of(state)
                .id(new StateId(move.newDaddr(), state.id().spi(), state.id().protocol()))
                .saddr(move.newSaddr())
                .family(move.newFamily());
        if (migration.encapsulation() != null) {
            spec.encapsulation(migration.encapsulation());
        }
        return spec.build();
    }

    /** {@code xfrm_policy_migrate}: gives templates their new addresses, in the order of the moves. */
    private Policy follow(Policy policy, List<Move> moves) throws XfrmException {
        int matches = 0;
        List<Template> templates = new ArrayList<>(policy.spec().templates());
        for (int i = 0; i < templates.size(); i++) {
            for (Move move : moves) {
                Template template = templates.get(i);
                if (matches(template, move)) {
                    matches++;
                    templates.set(i, template.mode().hasOuterHeader() ? moved(template, move) : template);
                }
            }
        }
        if (matches == 0) {
            throw new XfrmException(Errno.ENODATA);
        }
        policyExpiry.stop(policy);
        Policy followed = spd.retarget(policy, List.copyOf(templates));
        policyExpiry.start(followed);
        return followed;
    }

    private static boolean matches(Template template, Move move) {
        boolean alike = template.mode().number() == move.mode()
                && template.id().protocol() == move.protocol()
                && (move.reqid() == 0 || template.reqid() == move.reqid());
        // Templates of transport mode have no addresses to move.
        return alike
                && (template.mode() == Mode.TRANSPORT
                        || template.mode().hasOuterHeader()
                                && equal(template.id().daddr(), move.oldDaddr(), move)
                                && equal(template.saddr(), move.oldSaddr(), move));
    }

    private static boolean equal(Address one, Address other, Move move) {
        return one.equalsAs(other, AddressFamily.orIpv4(move.oldFamily()));
    }

    private static Template moved(Template t, Move move) {
        return t.toBuilder()
                .id(new StateId(move.newDaddr(), t.id().spi(), t.id().protocol()))
                .family(move.newFamily())
                .saddr(move.newSaddr())
                .build();
    }
}
