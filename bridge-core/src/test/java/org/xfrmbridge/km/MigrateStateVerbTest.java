package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * By Linux 7.2's Documentation/networking/xfrm/xfrm_migrate_state.rst: no kernel of the conformance runs has this
 * message.
 */
class MigrateStateVerbTest extends EngineFixture {
    private static final Address NEW_RIGHT = Address.parse("203.0.113.5");
    private static final Encapsulation UDP =
            new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY);

    private static final class Request {
        StateKey state = key(0x100);
        Address daddr = NEW_RIGHT;
        Address saddr = LEFT;
        int family = AddressFamily.INET;
        Selector selector = Selector.any(AddressFamily.INET);
        int flags;
        Mark mark;
        Mark outputMark;
        Encapsulation encapsulation;
        OptionalInt mappingMaxAgeSeconds = OptionalInt.empty();
        OptionalInt natKeepaliveSeconds = OptionalInt.empty();
        int offloadFlags = StateSpec.ABSENT;
    }

    private static StateMigration request(Consumer<Request> change) {
        Request r = new Request();
        change.accept(r);
        return StateMigration.builder()
                .state(r.state)
                .daddr(r.daddr)
                .saddr(r.saddr)
                .family(r.family)
                .selector(r.selector)
                .reqid(7)
                .flags(r.flags)
                .mark(r.mark)
                .outputMark(r.outputMark)
                .encapsulation(r.encapsulation)
                .mappingMaxAgeSeconds(r.mappingMaxAgeSeconds)
                .natKeepaliveSeconds(r.natKeepaliveSeconds)
                .offloadFlags(r.offloadFlags)
                .build();
    }

    private State old;

    @BeforeEach
    void setUp() throws XfrmException {
        old = engine.addState(
                esp(0x100, spec -> {
                    spec.usage(new LifetimeCurrent(1000, 10, 5, 6))
                            .encapsulation(UDP)
                            .mark(new Mark(3, 0xff))
                            .outputMark(new Mark(9, -1))
                            .direction(StateSpec.DIRECTION_OUT)
                            .replayWindow(0)
                            .natKeepaliveSeconds(20);
                }),
                ASKER);
        keyManager.take();
    }

    private static StateKey marked() {
        return new StateKey(new StateId(RIGHT, 0x100, IpProtocol.ESP), AddressFamily.INET, new Mark(3, 0xff), null);
    }

    private State migrate(Consumer<Request> change) throws XfrmException {
        return engine.migrateState(
                request(request -> {
                    request.state = marked();
                    change.accept(request);
                }),
                ASKER);
    }

    private void refusedMigration(Errno errno, Consumer<Request> change) {
        refused(errno, () -> migrate(change));
        assertEquals(State.Phase.VALID, old.phase());
    }

    @Test
    void shouldMoveWithAllThatIsNotNamed() throws XfrmException {
        old.sequence().next();

        State moved = migrate(request -> {});

        heard("migrated state 100 for 1234/7");
        assertEquals(State.Phase.DEAD, old.phase());
        assertSame(moved, all(engine.states(state -> true)).getFirst());
        StateSpec spec = moved.spec();
        assertEquals(new StateId(NEW_RIGHT, 0x100, IpProtocol.ESP), spec.id());
        assertEquals(7, spec.reqid());
        assertEquals(new Mark(3, 0xff), spec.mark());
        assertEquals(new Mark(9, -1), spec.outputMark());
        assertEquals(UDP, spec.encapsulation());
        assertEquals(20, spec.natKeepaliveSeconds());
        assertEquals(1000, moved.usage().bytes());
        assertEquals(1, moved.replaySnapshot().oseq());
        assertArrayEquals(HexFormat.of().parseHex(GCM_KEY), spec.aead().key());
    }

    @Test
    void shouldUseNoSequenceNumberTwiceWhenAPacketIsOnItsWayThroughTheOldState() throws XfrmException {
        State moved = migrate(request -> {});

        old.sequence().next();
        old.count(100, 1);

        moved.sequence().next();
        assertEquals(2, moved.sequence().last());
        assertEquals(1100, moved.usage().bytes());
    }

    @Test
    void shouldTakeWhatIsNamed() throws XfrmException {
        State moved = migrate(request -> {
            request.mark = Mark.NONE;
            request.outputMark = new Mark(1, 1);
            request.natKeepaliveSeconds = OptionalInt.of(0);
            request.selector = hosts("10.1.0.1", "10.2.0.2");
        });

        assertEquals(Mark.NONE, moved.spec().mark());
        assertEquals(new Mark(1, 1), moved.spec().outputMark());
        assertEquals(0, moved.spec().natKeepaliveSeconds());
        assertEquals(hosts("10.1.0.1", "10.2.0.2"), moved.spec().selector());
    }

    @Test
    void shouldDropKeepalivesWhenEncapsulationEnds() throws XfrmException {
        State moved = migrate(request -> request.encapsulation = new Encapsulation(0, 0, 0, Address.ANY));

        assertNull(moved.spec().encapsulation());
        assertEquals(0, moved.spec().natKeepaliveSeconds());
    }

    @Test
    void shouldMakeTheSelectorOfHostsWhenAsked() throws XfrmException {
        engine.addState(
                esp(0x200, spec -> {
                    spec.mode(Mode.TRANSPORT)
                            .selector(hosts(LEFT.toText(AddressFamily.INET), RIGHT.toText(AddressFamily.INET)));
                }),
                ASKER);

        State moved = engine.migrateState(
                request(request -> {
                    request.state = key(0x200);
                    request.flags = StateMigration.UPDATE_HOST_SELECTOR;
                }),
                ASKER);

        assertEquals(
                hosts(LEFT.toText(AddressFamily.INET), NEW_RIGHT.toText(AddressFamily.INET)),
                moved.spec().selector());
        refusedMigration(Errno.EINVAL, request -> request.flags = StateMigration.UPDATE_HOST_SELECTOR);
    }

    @Test
    void shouldChangeTheReqidInPlace() throws XfrmException {
        State moved = migrate(request -> request.daddr = RIGHT);

        assertEquals(old.id(), moved.id());
        assertEquals(7, moved.spec().reqid());
        assertEquals(1, engine.stateCounts().states());
    }

    @Test
    void shouldKeepBothWhenTheNewNameIsTaken() throws XfrmException {
        engine.addState(esp(0x100, spec -> spec.id(new StateId(NEW_RIGHT, 0x100, IpProtocol.ESP))), ASKER);

        refusedMigration(Errno.EEXIST, request -> {});

        assertEquals(2, engine.stateCounts().states());
    }

    @Test
    void shouldFindTheStateByItsVeryMarkAndSeeWhoHasTheNewOne() throws XfrmException {
        State other = engine.addState(esp(0x100, spec -> spec.mark(new Mark(0x100, 0x100))), ASKER);
        State catchAll = engine.addState(esp(0x100), ASKER);
        keyManager.take();

        refusedMigration(
                Errno.ESRCH,
                request -> request.state = new StateKey(old.id(), AddressFamily.INET, new Mark(3, 0xf), null));
        refusedMigration(Errno.EEXIST, request -> {
            request.daddr = RIGHT;
            request.mark = Mark.NONE;
        });
        State moved = migrate(request -> request.daddr = RIGHT);
        assertEquals(new Mark(3, 0xff), moved.spec().mark());
        assertTrue(other.isValid() && catchAll.isValid());
    }

    @Test
    void shouldRefuseWhatCannotBe() {
        refusedMigration(Errno.ESRCH, request -> request.state = key(0x999));
        refusedMigration(Errno.EINVAL, request -> request.state = key(0));
        refusedMigration(Errno.EINVAL, request -> request.flags = 4);
        refusedMigration(Errno.EINVAL, request -> request.family = 3);
        refusedMigration(Errno.EINVAL, request -> request.selector = Selector.any(99));
        refusedMigration(Errno.EINVAL, request -> request.encapsulation = new Encapsulation(7, 1, 1, Address.ANY));
        refusedMigration(Errno.EINVAL, request -> request.mappingMaxAgeSeconds = OptionalInt.of(1));
        refusedMigration(Errno.EINVAL, request -> {
            request.flags = StateMigration.CLEAR_OFFLOAD;
            request.offloadFlags = 0;
        });
        refusedMigration(Errno.EINVAL, request -> request.offloadFlags = 4);
    }

    @Test
    void shouldRefuseALarvalState() throws XfrmException {
        allocate(esp(0, spec -> spec.aead(null)), 0x300, 0x300);

        refused(Errno.EINVAL, () -> engine.migrateState(request(request -> request.state = key(0x300)), ASKER));
    }
}
