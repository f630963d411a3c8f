package org.xfrmbridge.xfrm;

/** IP protocol numbers that matter to XFRM (IANA protocol numbers; IPSEC_ANY is the kernel's IPSEC_PROTO_ANY). */
public final class IpProtocol {
    public static final int ANY = 0;
    public static final int ICMP = 1;
    public static final int IGMP = 2;
    public static final int IPIP = 4;
    public static final int TCP = 6;
    public static final int UDP = 17;
    public static final int DCCP = 33;
    public static final int IPV6 = 41;
    public static final int ROUTING = 43;
    public static final int FRAGMENT = 44;
    public static final int GRE = 47;
    public static final int ESP = 50;
    public static final int AH = 51;
    public static final int ICMPV6 = 58;
    public static final int NONE = 59;
    public static final int DSTOPTS = 60;
    public static final int OSPF = 89;
    public static final int BEET = 94;
    public static final int COMP = 108;
    public static final int VRRP = 112;
    public static final int SCTP = 132;
    public static final int UDPLITE = 136;
    public static final int MH = 135;
    /** "Any IPsec protocol" in flush, dump and template filters. */
    public static final int IPSEC_ANY = 255;

    private IpProtocol() {}

    /** Whether its packets begin with two port numbers. */
    public static boolean hasPorts(int protocol) {
        return switch (protocol) {
            case TCP, UDP, SCTP, DCCP, UDPLITE -> true;
            default -> false;
        };
    }

    /** Whether its sender cuts what it sends by what the way takes, and so is to be told how much that is. */
    public static boolean isSegmented(int protocol) {
        return protocol == TCP || protocol == SCTP || protocol == DCCP;
    }

    /** Whether states may carry it at all: ESP, AH, IPComp, and the two of mobile IPv6. */
    public static boolean isTransform(int protocol) {
        return protocol == ESP || protocol == AH || protocol == COMP || protocol == ROUTING || protocol == DSTOPTS;
    }
}
