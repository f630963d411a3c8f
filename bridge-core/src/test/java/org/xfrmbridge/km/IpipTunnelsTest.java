package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** The State of IP in IP that a kernel puts beside IPComp tunnels. */
class IpipTunnelsTest extends EngineFixture {
    private static final Address LEFT6 = Address.parse("2001:db8::1");
    private static final Address RIGHT6 = Address.parse("2001:db8::2");

    private static StateSpec comp(int cpi, Consumer<StateSpecBuilder> change) {
        return esp(cpi, spec -> {
            spec.id(new StateId(RIGHT, cpi, IpProtocol.COMP))
                    .aead(null)
                    .replayWindow(0)
                    .compression(algorithm("deflate", "", 0));
            change.accept(spec);
        });
    }

    private static StateKey comp(int cpi) {
        return new StateKey(new StateId(RIGHT, cpi, IpProtocol.COMP), AddressFamily.INET, Mark.NONE, null);
    }

    private static StateKey tunnel() {
        return new StateKey(new StateId(RIGHT, 0, IpProtocol.IPIP), AddressFamily.INET, Mark.NONE, LEFT);
    }

    private List<State> all() {
        List<State> all = new ArrayList<>();
        Dump<State> dump = engine.states(state -> true);
        for (State state = dump.next(); state != null; state = dump.next()) {
            all.add(state);
        }
        return all;
    }

    @Test
    void shouldStandBesideAnIpCompTunnelAndGoWithTheLastOne() throws XfrmException {
        engine.addState(comp(0x1000, spec -> {}), ASKER);
        State tunnel = engine.getState(tunnel());
        assertEquals(IpProtocol.IPIP, tunnel.id().protocol());
        assertEquals(LEFT.ipv4(), tunnel.id().spi(), "the source address");
        assertEquals(Mode.TUNNEL, tunnel.spec().mode());
        engine.addState(comp(0x1001, spec -> {}), ASKER);
        assertSame(tunnel, engine.getState(tunnel()));
        assertEquals(3, all().size());
        engine.deleteState(comp(0x1000), ASKER);
        assertTrue(tunnel.isValid());
        engine.deleteState(comp(0x1001), ASKER);
        assertEquals(State.Phase.DEAD, tunnel.phase());
        assertEquals(0, all().size());
    }

    private State addIpv6(int cpi, Address source, Address destination) throws XfrmException {
        engine.addState(
                comp(cpi, spec -> {
                    spec.family(AddressFamily.INET6)
                            .saddr(source)
                            .id(new StateId(destination, cpi, IpProtocol.COMP))
                            .flags(StateFlags.DECAP_DSCP)
                            .extraFlags(StateFlags.EXTRA_DONT_ENCAP_DSCP);
                }),
                ASKER);
        return engine.getState(
                new StateKey(new StateId(destination, 0, IpProtocol.IPV6), AddressFamily.INET6, Mark.NONE, source));
    }

    @Test
    void shouldHaveANumberForItsSpiOverIpv6ThatGoesWithTheSource() throws XfrmException {
        State first = addIpv6(0x1000, LEFT6, RIGHT6);
        State elsewhere = addIpv6(0x1001, LEFT6, Address.parse("2001:db8:9::9"));
        State back = addIpv6(0x1002, RIGHT6, LEFT6);

        assertEquals(1, first.id().spi());
        assertEquals(1, elsewhere.id().spi());
        assertEquals(2, back.id().spi());
        engine.flushStates(0, ASKER);
        assertEquals(3, addIpv6(0x1000, LEFT6, RIGHT6).id().spi());
    }

    @Test
    void shouldHaveTheFlagsOfTheOtherOverIpv4Only() throws XfrmException {
        State ipv6 = addIpv6(0x1000, LEFT6, RIGHT6);
        engine.addState(comp(0x1000, spec -> spec.flags(StateFlags.DECAP_DSCP)), ASKER);

        assertEquals(0, ipv6.spec().flags() | ipv6.spec().extraFlags());
        assertEquals(StateFlags.DECAP_DSCP, engine.getState(tunnel()).spec().flags());
    }

    @Test
    void shouldNotStandBesideTransportMode() throws XfrmException {
        engine.addState(comp(0x1000, spec -> spec.mode(Mode.TRANSPORT)), ASKER);
        assertEquals(1, all().size());
    }

    @Test
    void shouldBelongToNoClient() throws XfrmException {
        engine.addState(comp(0x1000, spec -> {}), ASKER);
        refused(Errno.EPERM, () -> engine.deleteState(tunnel(), ASKER));
        refused(Errno.ESRCH, () -> engine.flushStates(IpProtocol.IPIP, ASKER));
        engine.flushStates(0, ASKER);
        assertNull(sad.lookupByAddress(RIGHT, LEFT, IpProtocol.IPIP, AddressFamily.INET, 0));
        assertEquals(0, all().size());
    }

    @Test
    void shouldNotBeHeardOf() throws XfrmException {
        engine.addState(comp(0x1000, spec -> {}), ASKER);
        heard("NEW state 1000 VALID for 1234/7");
    }
}
