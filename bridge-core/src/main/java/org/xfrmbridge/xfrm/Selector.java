package org.xfrmbridge.xfrm;

/**
 * Which packets a Policy or State is for: {@code struct xfrm_selector}, field by field. Ports and port masks are in host
 * order; for ICMP the source port is the type and the destination port the code, for GRE both hold the key, as the kernel
 * has it. Nothing is checked here: a kernel takes odd selectors too.
 */
public record Selector(
        Address daddr,
        Address saddr,
        int dport,
        int dportMask,
        int sport,
        int sportMask,
        int family,
        int daddrPrefix,
        int saddrPrefix,
        int protocol,
        int ifindex,
        int user) {

    /** Matches every packet of the family. */
    public static Selector any(int family) {
        return new Selector(Address.ANY, Address.ANY, 0, 0, 0, 0, family, 0, 0, 0, 0, 0);
    }

    /** Whether a flow of the given family is one of ours; the kernel's {@code xfrm_selector_match}. */
    public boolean matches(Flow flow, int flowFamily) {
        return flowFamily == family
                && sharesPrefix(daddr, flow.daddrHigh, flow.daddrLow, daddrPrefix)
                && sharesPrefix(saddr, flow.saddrHigh, flow.saddrLow, saddrPrefix)
                && ((flow.dport ^ dport) & dportMask) == 0
                && ((flow.sport ^ sport) & sportMask) == 0
                && (protocol == 0 || flow.protocol == protocol)
                && (ifindex == 0 || flow.ifindex == ifindex);
    }

    private static boolean sharesPrefix(Address address, long high, long low, int prefixBits) {
        if (prefixBits <= 0) {
            return true;
        }
        if (prefixBits <= 64) {
            return (address.high() ^ high) >>> (64 - prefixBits) == 0;
        }
        return address.high() == high && (address.low() ^ low) >>> (128 - Math.min(prefixBits, 128)) == 0;
    }
}
