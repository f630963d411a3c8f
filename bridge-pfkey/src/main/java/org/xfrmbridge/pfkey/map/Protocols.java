package org.xfrmbridge.pfkey.map;

import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.IpProtocol;

/** IP protocols and what PF_KEY calls them. */
public final class Protocols {
    private Protocols() {}

    /** {@code pfkey_satype2proto}: 255 for UNSPEC, 0 for a type that has none here. */
    public static int ofSatype(int satype) {
        return switch (satype) {
            case Satype.UNSPEC -> IpProtocol.IPSEC_ANY;
            case Satype.AH -> IpProtocol.AH;
            case Satype.ESP -> IpProtocol.ESP;
            case Satype.IPCOMP -> IpProtocol.COMP;
            default -> 0;
        };
    }

    /** {@code pfkey_proto2satype}. */
    public static int toSatype(int protocol) {
        return switch (protocol) {
            case IpProtocol.AH -> Satype.AH;
            case IpProtocol.ESP -> Satype.ESP;
            case IpProtocol.COMP -> Satype.IPCOMP;
            default -> Satype.UNSPEC;
        };
    }

    /** Of an upper layer: where PF_KEY says 255, any is 0 in a selector. */
    static int toSelector(int proto) {
        return proto == IpProtocol.IPSEC_ANY ? IpProtocol.ANY : proto;
    }

    static int fromSelector(int protocol) {
        return protocol == IpProtocol.ANY ? IpProtocol.IPSEC_ANY : protocol;
    }
}
