package org.xfrmbridge.pfkey.map;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import java.nio.ByteBuffer;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService.SpiRequest;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbSpirange;
import org.xfrmbridge.pfkey.msg.SadbXNatTPort;
import org.xfrmbridge.pfkey.msg.SadbXNatTType;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * What requests say of States, as {@code pfkey_msg2xfrm_state} and its siblings read it, fault by fault in their order.
 */
public final class StateDecoder {
    // Greatest numbers of algorithms, SADB_*_MAX: above them, EINVAL; unknown ones below, ENOSYS.
    private static final int MAX_AUTH = 251;
    private static final int MAX_CIPHER = 253;
    private static final int MAX_COMPRESSION = 4;

    // The two that have no key.
    private static final int NULL_AUTH = 251;
    private static final int NULL_CIPHER = 11;

    /** Bits in the word a window has without extended numbers. */
    private static final int MAX_WINDOW = 32;

    private static final SadbSpirange ANY_SPI = new SadbSpirange(0x100, 0x0fff_ffff);

    private StateDecoder() {}

    /** ADD and UPDATE. Its keys are the caller's to wipe; of a refused request none are left. */
    public static StateSpec spec(SadbMsg header, Extensions extensions) throws XfrmException {
        ByteBuffer saBody = extensions.require(SadbExt.SA);
        AddressPair pair = AddressPair.read(extensions);
        verifyPresence(header.satype(), extensions);
        int protocol = protocol(header);
        SadbSa sa = SadbSa.read(saBody);
        verifyNumbers(header.satype(), sa, extensions);
        StateSpecBuilder spec = StateSpec.builder()
                .id(new StateId(pair.daddr(), sa.spi(), protocol))
                .saddr(pair.saddr())
                .family(pair.family())
                .replayWindow(Math.min(sa.replay(), MAX_WINDOW))
                .flags(flags(sa.flags()))
                .lifetime(LifetimeMapper.read(extensions))
                .seq(header.sequence());
        // A kernel gives States of PF_KEY no thresholds: nobody there could be told.
        spec.replayMaxDifference(0).replayMaxAge(0);
        try {
            copyAlgorithms(header.satype(), sa, extensions, spec);
            copySa2(extensions, spec);
            spec.selector(selector(extensions, pair.family())).encapsulation(encapsulation(extensions));
            requireTransform(protocol);
            return spec.build();
        } catch (XfrmException e) {
            spec.build().wipeKeys();
            throw e;
        }
    }

    private static void verifyPresence(int satype, Extensions extensions) throws XfrmException {
        refuseIf(satype == Satype.ESP && !extensions.has(SadbExt.KEY_ENCRYPT));
        refuseIf(satype == Satype.AH && !extensions.has(SadbExt.KEY_AUTH));
        refuseIf(extensions.has(SadbExt.LIFETIME_HARD) != extensions.has(SadbExt.LIFETIME_SOFT));
    }

    private static int protocol(SadbMsg header) throws XfrmException {
        int protocol = Protocols.ofSatype(header.satype());
        refuseIf(protocol == 0);
        return protocol;
    }

    private static void verifyNumbers(int satype, SadbSa sa, Extensions extensions) throws XfrmException {
        refuseIf(sa.auth() > MAX_AUTH || sa.encrypt() > MAX_CIPHER);
        refuseIf(satype == Satype.IPCOMP && sa.encrypt() > MAX_COMPRESSION);
        refuseIf(sa.auth() != NULL_AUTH && isEmpty(extensions.get(SadbExt.KEY_AUTH)));
        refuseIf(sa.encrypt() != NULL_CIPHER && isEmpty(extensions.get(SadbExt.KEY_ENCRYPT)));
    }

    private static boolean isEmpty(ByteBuffer key) {
        return key != null && SadbKey.bits(key) == 0;
    }

    private static int flags(int saFlags) {
        int flags = 0;
        flags |= (saFlags & SadbSa.FLAG_NOECN) != 0 ? StateFlags.NOECN : 0;
        flags |= (saFlags & SadbSa.FLAG_DECAP_DSCP) != 0 ? StateFlags.DECAP_DSCP : 0;
        flags |= (saFlags & SadbSa.FLAG_NOPMTUDISC) != 0 ? StateFlags.NOPMTUDISC : 0;
        return flags;
    }

    private static void copyAlgorithms(int satype, SadbSa sa, Extensions extensions, StateSpecBuilder spec)
            throws XfrmException {
        if (sa.auth() != 0) {
            spec.auth(Algorithms.of(AlgorithmKind.AUTH, sa.auth(), extensions.get(SadbExt.KEY_AUTH)));
        }
        if (sa.encrypt() != 0 && satype == Satype.IPCOMP) {
            spec.compression(Algorithms.of(AlgorithmKind.COMPRESSION, sa.encrypt(), null));
        } else if (sa.encrypt() != 0) {
            spec.cipher(Algorithms.of(AlgorithmKind.CIPHER, sa.encrypt(), extensions.get(SadbExt.KEY_ENCRYPT)));
        }
    }

    private static void copySa2(Extensions extensions, StateSpecBuilder spec) throws XfrmException {
        ByteBuffer body = extensions.get(SadbExt.X_SA2);
        if (body != null) {
            SadbXSa2 sa2 = SadbXSa2.read(body);
            spec.mode(Modes.of(sa2.mode())).reqid(sa2.reqid());
        }
    }

    /** Everything, but what a PROXY says of the source. */
    private static Selector selector(Extensions extensions, int family) {
        ByteBuffer body = extensions.get(SadbExt.ADDRESS_PROXY);
        if (body == null) {
            return Selector.any(family);
        }
        SadbAddress proxy = SadbAddress.read(body);
        Address saddr = proxy.sockaddr().address();
        return Selector.of(proxy.sockaddr().family())
                .saddr(saddr, proxy.prefixlen())
                .build();
    }

    /** Ports without a type count for nothing, nor does the original address. */
    private static Encapsulation encapsulation(Extensions extensions) {
        ByteBuffer body = extensions.get(SadbExt.X_NAT_T_TYPE);
        if (body == null) {
            return null;
        }
        int sport = port(extensions.get(SadbExt.X_NAT_T_SPORT));
        int dport = port(extensions.get(SadbExt.X_NAT_T_DPORT));
        return new Encapsulation(SadbXNatTType.read(body).type(), sport, dport, Address.ANY);
    }

    private static int port(ByteBuffer body) {
        return body == null ? 0 : SadbXNatTPort.read(body).port();
    }

    /** A State of any protocol is one that no host can make. */
    private static void requireTransform(int protocol) throws XfrmException {
        if (protocol == IpProtocol.IPSEC_ANY) {
            throw new XfrmException(Errno.EPROTONOSUPPORT);
        }
    }

    /** GETSPI. */
    public static SpiRequest spiRequest(SadbMsg header, Extensions extensions, Origin origin) throws XfrmException {
        AddressPair pair = AddressPair.read(extensions);
        StateSpecBuilder spec = StateSpec.builder()
                .id(new StateId(pair.daddr(), 0, protocol(header)))
                .saddr(pair.saddr())
                .family(pair.family())
                .seq(header.sequence());
        copySa2(extensions, spec);
        ByteBuffer body = extensions.get(SadbExt.SPIRANGE);
        SadbSpirange range = body == null ? ANY_SPI : SadbSpirange.read(body);
        return new SpiRequest(spec.build(), range.min(), range.max(), origin);
    }

    /** GET and DELETE. @throws XfrmException ESRCH if what is named can be no State */
    public static StateKey key(SadbMsg header, Extensions extensions) throws XfrmException {
        ByteBuffer sa = extensions.require(SadbExt.SA);
        AddressPair pair = AddressPair.read(extensions);
        int protocol = Protocols.ofSatype(header.satype());
        if (protocol == 0 || protocol == IpProtocol.IPSEC_ANY) {
            throw new XfrmException(Errno.ESRCH);
        }
        return new StateKey(new StateId(pair.daddr(), SadbSa.read(sa).spi(), protocol), pair.family(), null, null);
    }
}
