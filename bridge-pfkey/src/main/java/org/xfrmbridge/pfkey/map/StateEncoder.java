package org.xfrmbridge.pfkey.map;

import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbXNatTPort;
import org.xfrmbridge.pfkey.msg.SadbXNatTType;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * A State as {@code pfkey_xfrm_state2msg} shows it. What PF_KEY has no words for is left out, as a kernel does: an AEAD
 * with its key, marks, interface ids, extended numbers.
 */
public final class StateEncoder {
    private static final int LONGEST_WINDOW = 0xff;

    private StateEncoder() {}

    /**
     * With keys and both limits: every message but EXPIRE. @throws XfrmException EINVAL if PF_KEY has no number for its
     * mode
     */
    public static byte[] message(SadbMsg header, State state) throws XfrmException {
        StateSpec spec = state.spec();
        SadbWriter out = new SadbWriter(header).put(SadbExt.SA, sa(state));
        out.put(SadbExt.LIFETIME_HARD, LifetimeMapper.hard(spec.lifetime()));
        out.put(SadbExt.LIFETIME_SOFT, LifetimeMapper.soft(spec.lifetime()));
        putUseAndEnds(out, state);
        putKey(out, SadbExt.KEY_AUTH, spec.auth());
        putKey(out, SadbExt.KEY_ENCRYPT, spec.cipher());
        return end(out, spec);
    }

    /**
     * Without keys, and with one limit alone.
     *
     * @param reached LIFETIME_HARD or LIFETIME_SOFT
     * @throws XfrmException EINVAL if PF_KEY has no number for its mode
     */
    public static byte[] expiry(SadbMsg header, State state, SadbExt reached) throws XfrmException {
        StateSpec spec = state.spec();
        SadbWriter out = new SadbWriter(header).put(SadbExt.SA, sa(state));
        boolean hard = reached == SadbExt.LIFETIME_HARD;
        out.put(reached, hard ? LifetimeMapper.hard(spec.lifetime()) : LifetimeMapper.soft(spec.lifetime()));
        putUseAndEnds(out, state);
        return end(out, spec);
    }

    /** {@code pfkey_send_new_mapping}. */
    public static byte[] mapping(SadbMsg header, State state, Address newSaddr, int newSport) {
        StateSpec spec = state.spec();
        return new SadbWriter(header)
                .put(SadbExt.SA, new SadbSa(spec.id().spi(), 0, 0, 0, 0, 0))
                .put(SadbExt.ADDRESS_SRC, whole(spec.family(), spec.saddr()))
                .put(
                        SadbExt.X_NAT_T_SPORT,
                        new SadbXNatTPort(spec.encapsulation().sport()))
                .put(SadbExt.ADDRESS_DST, whole(spec.family(), newSaddr))
                .put(SadbExt.X_NAT_T_DPORT, new SadbXNatTPort(newSport))
                .toBytes();
    }

    /** An address by itself, in a message about a State. */
    static SadbAddress whole(int family, Address address) {
        return new SadbAddress(0, AddressPair.bits(family), new Sockaddr(family, 0, address));
    }

    private static SadbSa sa(State state) {
        StateSpec spec = state.spec();
        int phase = switch (state.phase()) {
            case VALID -> state.isDying() ? SadbSa.DYING : SadbSa.MATURE;
            case ACQUIRING -> SadbSa.LARVAL;
            case ERROR, EXPIRED, DEAD -> SadbSa.DEAD;
        };
        int auth = Algorithms.number(AlgorithmKind.AUTH, spec.auth());
        int encrypt = spec.compression() != null
                ? Algorithms.number(AlgorithmKind.COMPRESSION, spec.compression())
                : Algorithms.number(AlgorithmKind.CIPHER, spec.cipher());
        return new SadbSa(spec.id().spi(), spec.replayWindow() & LONGEST_WINDOW, phase, auth, encrypt, flags(spec));
    }

    private static int flags(StateSpec spec) {
        int flags = 0;
        flags |= spec.hasFlag(StateFlags.NOECN) ? SadbSa.FLAG_NOECN : 0;
        flags |= spec.hasFlag(StateFlags.DECAP_DSCP) ? SadbSa.FLAG_DECAP_DSCP : 0;
        flags |= spec.hasFlag(StateFlags.NOPMTUDISC) ? SadbSa.FLAG_NOPMTUDISC : 0;
        return flags;
    }

    /** The selector's source follows where it is not the State's, in the State's family whatever its own. */
    private static void putUseAndEnds(SadbWriter out, State state) {
        StateSpec spec = state.spec();
        out.put(SadbExt.LIFETIME_CURRENT, LifetimeMapper.current(state.usage()));
        out.put(SadbExt.ADDRESS_SRC, whole(spec.family(), spec.saddr()));
        out.put(SadbExt.ADDRESS_DST, whole(spec.family(), spec.id().daddr()));
        Selector selector = spec.selector();
        if (!selector.saddr().equalsAs(spec.saddr(), spec.family())) {
            Sockaddr source = new Sockaddr(spec.family(), selector.sport(), selector.saddr());
            int proto = Protocols.fromSelector(selector.protocol());
            out.put(SadbExt.ADDRESS_PROXY, new SadbAddress(proto, selector.saddrPrefix(), source));
        }
    }

    private static void putKey(SadbWriter out, SadbExt extension, Algorithm algorithm) {
        if (algorithm != null && algorithm.keyBits() != 0) {
            out.put(extension, new SadbKey(algorithm.keyBits(), algorithm.key()));
        }
    }

    private static byte[] end(SadbWriter out, StateSpec spec) throws XfrmException {
        out.put(SadbExt.X_SA2, new SadbXSa2(Modes.number(spec.mode()), 0, spec.reqid()));
        Encapsulation encapsulation = spec.encapsulation();
        if (encapsulation != null && encapsulation.type() != 0) {
            out.put(SadbExt.X_NAT_T_TYPE, new SadbXNatTType(encapsulation.type()));
            out.put(SadbExt.X_NAT_T_SPORT, new SadbXNatTPort(encapsulation.sport()));
            out.put(SadbExt.X_NAT_T_DPORT, new SadbXNatTPort(encapsulation.dport()));
        }
        return out.toBytes();
    }
}
