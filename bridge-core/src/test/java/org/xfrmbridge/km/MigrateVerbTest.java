package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;
import org.xfrmbridge.xfrm.Template;

/** How it answers is compared with Linux in it-tests; this is about what moves. */
class MigrateVerbTest extends EngineFixture {
    private static final Address NEW_RIGHT = Address.parse("203.0.113.5");

    private final Selector traffic = hosts("10.1.0.1", "10.2.0.2");
    private Policy policy;

    @BeforeEach
    void setUp() throws XfrmException {
        policy = engine.addPolicy(policy(traffic, tunnel(1)), true, ASKER);
        keyManager.take();
    }

    private static Move move(Address newDaddr, int reqid) {
        return new Move(
                RIGHT,
                LEFT,
                newDaddr,
                LEFT,
                IpProtocol.ESP,
                Mode.TUNNEL.number(),
                reqid,
                AddressFamily.INET,
                AddressFamily.INET);
    }

    private Migration migration(Encapsulation encapsulation, Move... moves) {
        return new Migration(
                traffic, Direction.OUT.number(), PolicySpec.Type.MAIN, List.of(moves), null, encapsulation, 0);
    }

    @Test
    void shouldMoveStateAndTemplateWithAllTheyHave() throws XfrmException {
        State old = engine.addState(esp(0x100, spec -> spec.usage(new LifetimeCurrent(1000, 10, 5, 6))), ASKER);
        old.sequence().next();
        keyManager.take();

        engine.migrate(migration(null, move(NEW_RIGHT, 1)));

        heard("migrated policy " + policy.spec().index());
        assertEquals(State.Phase.DEAD, old.phase());
        assertTrue(policy.isDead());
        State moved = all(engine.states(state -> true)).getFirst();
        assertEquals(new StateId(NEW_RIGHT, 0x100, IpProtocol.ESP), moved.id());
        assertEquals(1000, moved.usage().bytes());
        assertEquals(1, moved.replaySnapshot().oseq());
        assertArrayEquals(HexFormat.of().parseHex(GCM_KEY), moved.spec().aead().key());
        Policy followed = engine.getPolicy(byIndex(policy.spec().index(), Direction.OUT));
        assertEquals(NEW_RIGHT, followed.spec().templates().getFirst().id().daddr());
        assertEquals(policy.age(), followed.age());
        assertSame(followed, all(engine.policies(null)).getFirst());
    }

    @Test
    void shouldUseNoSequenceNumberTwiceWhenAPacketIsOnItsWayThroughTheOldState() throws XfrmException {
        State old = engine.addState(esp(0x100), ASKER);
        old.count(100, 1);

        engine.migrate(migration(null, move(NEW_RIGHT, 1)));
        old.sequence().next();
        old.count(100, 1);

        State moved = all(engine.states(state -> true)).getFirst();
        moved.sequence().next();
        assertEquals(2, moved.sequence().last());
        assertEquals(200, moved.usage().bytes());
    }

    @Test
    void shouldEncapsulateFromThenOnWhenAsked() throws XfrmException {
        Encapsulation udp = new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY);
        engine.addState(esp(0x100), ASKER);

        engine.migrate(migration(udp, move(RIGHT, 1)));

        State moved = engine.getState(key(0x100));
        assertEquals(udp, moved.spec().encapsulation());
        assertEquals(List.of(0x100), spis());
    }

    @Test
    void shouldMoveTheTemplateAloneWhenThereIsNoState() throws XfrmException {
        engine.migrate(migration(null, move(NEW_RIGHT, 1)));

        heard("migrated policy " + policy.spec().index());
        assertNull(spd.get(bySelector(policy(hosts("10.9.0.1", "10.2.0.2")))));
    }

    /** PF_KEY's templates have no masks. */
    @Test
    void shouldLetAnyAlgorithmServeAsBeforeWhenATemplateMoves() throws XfrmException {
        Template any = tunnel(1).toBuilder()
                .authMask(0)
                .cipherMask(0)
                .compressionMask(0)
                .allAlgorithms(true)
                .build();
        policy = engine.addPolicy(policy(traffic, any), false, ASKER);

        engine.migrate(migration(null, move(NEW_RIGHT, 1)));

        Policy followed = engine.getPolicy(byIndex(policy.spec().index(), Direction.OUT));
        assertEquals(NEW_RIGHT, followed.spec().templates().getFirst().id().daddr());
        assertTrue(followed.spec().templates().getFirst().allAlgorithms());
    }

    @Test
    void shouldLeaveAllAsItWasWhenNoTemplateMoves() throws XfrmException {
        State state = engine.addState(esp(0x100, spec -> spec.reqid(9)), ASKER);

        refused(Errno.ENODATA, () -> engine.migrate(migration(null, move(NEW_RIGHT, 9))));

        assertSame(state, engine.getState(key(0x100)));
        assertTrue(state.isValid());
        assertEquals(RIGHT, policy.spec().templates().getFirst().id().daddr());
    }

    @Test
    void shouldLeaveAllAsItWasWhenTheNewAddressHasTheSpi() throws XfrmException {
        engine.addState(esp(0x100), ASKER);
        engine.addState(esp(0x100, spec -> spec.id(new StateId(NEW_RIGHT, 0x100, IpProtocol.ESP))), ASKER);

        refused(Errno.ENODATA, () -> engine.migrate(migration(null, move(NEW_RIGHT, 1))));

        assertTrue(engine.getState(key(0x100)).isValid());
    }

    @Test
    void shouldRefuseAddressesThatAreNoneAndMovesThatAreTheSame() {
        refused(Errno.EINVAL, () -> engine.migrate(migration(null, move(Address.ANY, 1))));
        refused(Errno.EINVAL, () -> engine.migrate(migration(null, move(NEW_RIGHT, 1), move(RIGHT, 1))));
    }
}
