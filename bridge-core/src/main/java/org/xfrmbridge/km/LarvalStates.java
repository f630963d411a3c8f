package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SpiAllocator;
import org.xfrmbridge.km.XfrmService.SpiRequest;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * States that wait for their key manager: ALLOCSPI names or makes them ({@code xfrm_alloc_userspi}), an answer replaces
 * them. Control thread only.
 */
final class LarvalStates {
    private final Sad sad;
    private final StateLifecycle states;
    private final SpiAllocator spis;
    private final SysctlValues sysctls;
    private final Clock clock;

    LarvalStates(Sad sad, StateLifecycle states, SpiAllocator spis, SysctlValues sysctls, Clock clock) {
        this.sad = sad;
        this.states = states;
        this.spis = spis;
        this.sysctls = sysctls;
        this.clock = clock;
    }

    /**
     * Like a kernel it leaves a larval State behind when there is no Spi for it: a later request for the same may find
     * one.
     */
    State allocateSpi(SpiRequest request) throws XfrmException {
        StateSpec wanted = request.spec();
        if (request.origin().via() == Origin.Interface.PF_KEY) {
            return allocateSpiBehind(request, existing(wanted));
        }
        verify(wanted, request.minSpi(), request.maxSpi());
        State larval = existing(wanted);
        return isNamed(larval) ? larval : allocateSpi(request, larval);
    }

    private static boolean isNamed(State larval) {
        return larval != null && larval.spec().id().spi() != 0;
    }

    /** {@code pfkey_getspi}, which looks at the range only when there is a larval State, and then leaves it behind. */
    private State allocateSpiBehind(SpiRequest request, State larval) throws XfrmException {
        int protocol =
                larval == null ? request.spec().id().protocol() : larval.id().protocol();
        try {
            verifyRange(protocol, request.minSpi(), request.maxSpi());
        } catch (XfrmException refusal) {
            if (larval == null) {
                installLarval(spec(request.spec()));
            }
            throw refusal;
        }
        return isNamed(larval) ? larval : allocateSpi(request, larval);
    }

    /** @param larval to be given an Spi, null for a new one */
    private State allocateSpi(SpiRequest request, State larval) throws XfrmException {
        StateSpec wanted = request.spec();
        StateSpec spec = larval == null ? spec(wanted) : larval.spec();
        // A kernel counts the range in 32 bits, and finds nothing in the whole of it.
        boolean whole = request.maxSpi() - request.minSpi() == -1;
        int spi = whole ? 0 : spis.allocate(spec.id().protocol(), request.minSpi(), request.maxSpi());
        if (spi == 0) {
            if (larval == null) {
                installLarval(spec);
            }
            throw new XfrmException(Errno.ENOENT, "every SPI of the range is in use");
        }
        StateSpec named = named(spec, spi, wanted.direction());
        if (larval != null) {
            states.respec(larval, named);
            return larval;
        }
        return installLarval(named);
    }

    private State installLarval(StateSpec spec) throws XfrmException {
        states.requireRoom();
        State fresh = new State(spec, State.Phase.ACQUIRING, new Usage(clock.epochSeconds()));
        states.installLarval(fresh);
        return fresh;
    }

    /** {@code pfkey_acquire}. */
    void fail(int sequence) {
        State larval = sequence == 0 ? null : sad.larvalBySequence(sequence, 0, StateSpec.ABSENT);
        if (larval != null) {
            larval.enter(State.Phase.ERROR);
        }
    }

    static Lifetime lifetime(int expireSeconds) {
        return Lifetime.builder().hardAddSeconds(expireSeconds).build();
    }

    private State existing(StateSpec wanted) {
        State larval = states.larvalBySequence(wanted);
        return larval == null ? sad.larval(wanted) : larval;
    }

    private void verify(StateSpec wanted, int minSpi, int maxSpi) throws XfrmException {
        verifyRange(wanted.id().protocol(), minSpi, maxSpi);
        refuseIf(!states.hasCpu(wanted), "this host has no CPU of that number");
        refuseIf(!AddressFamily.isIp(wanted.family()), "the address family is neither IPv4 nor IPv6");
        refuseIf(wanted.mode() == null, "there is no such mode");
    }

    /** {@code verify_spi_info}. */
    private static void verifyRange(int protocol, int minSpi, int maxSpi) throws XfrmException {
        refuseIf(
                !StateLifecycle.isIpsec(protocol) || protocol == IpProtocol.IPSEC_ANY,
                "only AH, ESP and IPComp have SPIs");
        refuseIf(
                protocol == IpProtocol.COMP && Integer.compareUnsigned(maxSpi, 0xffff) > 0,
                "an IPComp SPI is at most 65535");
        refuseIf(Integer.compareUnsigned(minSpi, maxSpi) > 0, "the least SPI is greater than the greatest");
    }

    /** A selector for the two hosts that names no family; {@code __find_acq_core}. */
    private StateSpec spec(StateSpec wanted) {
        StateSpecBuilder spec = StateSpec.builder();
        int bits = AddressFamily.bits(wanted.family());
        Address daddr = wanted.id().daddr().only(wanted.family());
        Address saddr = wanted.saddr().only(wanted.family());
        spec.selector(Selector.of(AddressFamily.UNSPEC)
                        .saddr(saddr, bits)
                        .daddr(daddr, bits)
                        .build())
                .id(new StateId(daddr, 0, wanted.id().protocol()))
                .saddr(saddr)
                .family(wanted.family())
                .mode(wanted.mode())
                .reqid(wanted.reqid())
                .mark(wanted.mark())
                .ifId(wanted.ifId())
                .pcpu(wanted.pcpu())
                .lifetime(lifetime(sysctls.acquireExpireSeconds()))
                .replayMaxDifference(0)
                .replayMaxAge(0);
        return spec.build();
    }

    private static StateSpec named(StateSpec spec, int spi, int direction) {
        StateSpecBuilder named = spec.toBuilder()
                .id(new StateId(spec.id().daddr(), spi, spec.id().protocol()));
        if (direction != 0) {
            named.direction(direction);
        }
        return named.build();
    }
}
