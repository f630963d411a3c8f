package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.xfrmbridge.km.XfrmService.SpiRequest;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;

class LarvalStatesTest extends EngineFixture {
    @Test
    void shouldLeaveALarvalStateWithASpiOfTheRange() throws XfrmException {
        State larval = allocate(esp(0, s -> s.direction(StateSpec.DIRECTION_IN)), 0xc000_0000, 0xcfff_ffff);

        assertEquals(0xc, larval.id().spi() >>> 28);
        assertEquals(State.Phase.ACQUIRING, larval.phase());
        assertEquals(StateSpec.DIRECTION_IN, larval.spec().direction());
        assertEquals(30, larval.spec().lifetime().hardAddSeconds());
        assertEquals(
                Selector.of(AddressFamily.UNSPEC)
                        .saddr(LEFT, 32)
                        .daddr(RIGHT, 32)
                        .build(),
                larval.spec().selector());
        heard();
    }

    @Test
    void shouldRefuseProtocolsAndRangesAsTheKernelDoes() {
        refused(Errno.EINVAL, () -> allocate(esp(0, s -> s.id(new StateId(RIGHT, 0, IpProtocol.ROUTING))), 1, 2));
        refused(Errno.EINVAL, () -> allocate(esp(0, s -> s.id(new StateId(RIGHT, 0, IpProtocol.COMP))), 1, 0x10000));
        refused(Errno.EINVAL, () -> allocate(esp(0), 2, 1));
        refused(Errno.EINVAL, () -> allocate(esp(0), -1, 1));
    }

    @Test
    void shouldLeaveALarvalStateWithoutSpiWhenNoneIsFree() throws XfrmException {
        engine.addState(esp(0x100), ASKER);

        assertEquals(Errno.ENOENT, errno(() -> allocate(esp(0), 0x100, 0x100)));
        assertEquals(Errno.ENOENT, errno(() -> allocate(esp(0), 0, 0)));
        assertEquals(List.of(0, 0x100), spis());
        assertEquals(0x200, allocate(esp(0), 0x200, 0x200).id().spi());
        assertEquals(List.of(0x200, 0x100), spis());
    }

    @Test
    void shouldLeaveALarvalStateBehindAWrongRangeWhenPfkeyAsks() throws XfrmException {
        Origin pfkey = new Origin(1, 1, Origin.Interface.PF_KEY);

        assertEquals(Errno.EINVAL, errno(() -> engine.allocateSpi(new SpiRequest(esp(0), 2, 1, pfkey))));
        assertEquals(List.of(0), spis());
        assertEquals(
                0x200,
                engine.allocateSpi(new SpiRequest(esp(0), 0x200, 0x200, pfkey))
                        .id()
                        .spi());
        assertEquals(List.of(0x200), spis());
    }

    @Test
    void shouldUseUpARangeToTheLast() throws XfrmException {
        for (int i = 0; i < 4; i++) {
            allocate(esp(0), 0x100, 0x103);
        }

        assertEquals(
                List.of(0x100, 0x101, 0x102, 0x103), spis().stream().sorted().toList());
        assertEquals(Errno.ENOENT, errno(() -> allocate(esp(0), 0x100, 0x103)));
    }

    @Test
    void shouldFindNoSpiInTheWholeRangeAsTheKernelCountsItIn32Bits() {
        assertEquals(Errno.ENOENT, errno(() -> allocate(esp(0), 0, -1)));
    }

    /** Unlike {@code refused} it lets the request leave something behind. */
    private static Errno errno(Executable request) {
        return assertThrows(XfrmException.class, request).errno();
    }

    @Test
    void shouldTakeIpCompSpisOfSixteenBits() throws XfrmException {
        State larval = allocate(esp(0, s -> s.id(new StateId(RIGHT, 0, IpProtocol.COMP))), 0x100, 0xffff);

        assertTrue(larval.id().spi() >= 0x100 && larval.id().spi() <= 0xffff);
    }

    @Test
    void shouldRefuseToAddWhereOneWithTheSpiWaits() throws XfrmException {
        allocate(esp(0), 0x100, 0x100);

        refused(Errno.EEXIST, () -> engine.addState(esp(0x100), ASKER));
    }

    @Test
    void shouldBecomeRealWhenUpdated() throws XfrmException {
        State larval = allocate(esp(0), 0x100, 0x100);

        State real = engine.updateState(esp(0x100), ASKER);

        assertNotSame(larval, real);
        assertEquals(State.Phase.DEAD, larval.phase());
        assertEquals(List.of(0x100), spis());
        assertSame(real, engine.getState(key(0x100)));
        heard("UPDATE state 100 VALID for 1234/7");
        passSeconds(100);
        heard();
    }

    @Test
    void shouldMindTheDirectionWhenOneIsNamed() throws XfrmException {
        allocate(esp(0, s -> s.direction(StateSpec.DIRECTION_IN)), 0x100, 0x100);

        refused(
                Errno.ESRCH,
                () -> engine.updateState(
                        esp(0x100, s -> {
                            s.direction(StateSpec.DIRECTION_OUT).replayWindow(0);
                        }),
                        ASKER));
        assertTrue(engine.updateState(esp(0x100), ASKER).isValid());
    }

    @Test
    void shouldDeleteALarvalStateAsAnyOther() throws XfrmException {
        allocate(esp(0), 0x100, 0x100);

        engine.deleteState(key(0x100), ASKER);

        heard("DELETE state 100 DEAD for 1234/7");
        assertEquals(Long.MAX_VALUE, engine.nextDeadlineNs());
    }
}
