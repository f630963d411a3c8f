package org.xfrmbridge.xfrm;

/**
 * Which packets a Policy or State is for: {@code struct xfrm_selector}, field by field, and no wider: there may be
 * millions. Ports and port masks are in host order; for ICMP the source port is the type and the destination port the
 * code, for GRE both hold the key, as the kernel has it. Nothing is checked here: a kernel takes odd selectors too.
 */
public final class Selector {
    private final long daddrHigh;
    private final long daddrLow;
    private final long saddrHigh;
    private final long saddrLow;
    private final char dport;
    private final char dportMask;
    private final char sport;
    private final char sportMask;
    private final char family;
    private final byte daddrPrefix;
    private final byte saddrPrefix;
    private final byte protocol;
    private final int ifindex;
    private final int user;

    /**
     * Numbers are cut to the width they have in the kernel's structure: ports, masks and family 16 bits, prefixes and
     * protocol 8.
     */
    public Selector(
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
        daddrHigh = daddr.high();
        daddrLow = daddr.low();
        saddrHigh = saddr.high();
        saddrLow = saddr.low();
        this.dport = (char) dport;
        this.dportMask = (char) dportMask;
        this.sport = (char) sport;
        this.sportMask = (char) sportMask;
        this.family = (char) family;
        this.daddrPrefix = (byte) daddrPrefix;
        this.saddrPrefix = (byte) saddrPrefix;
        this.protocol = (byte) protocol;
        this.ifindex = ifindex;
        this.user = user;
    }

    /** Matches every packet of the family. */
    public static Selector any(int family) {
        return new Selector(Address.ANY, Address.ANY, 0, 0, 0, 0, family, 0, 0, 0, 0, 0);
    }

    /** A new one every time. */
    public Address daddr() {
        return new Address(daddrHigh, daddrLow);
    }

    /** A new one every time. */
    public Address saddr() {
        return new Address(saddrHigh, saddrLow);
    }

    public int dport() {
        return dport;
    }

    public int dportMask() {
        return dportMask;
    }

    public int sport() {
        return sport;
    }

    public int sportMask() {
        return sportMask;
    }

    public int family() {
        return family;
    }

    public int daddrPrefix() {
        return Byte.toUnsignedInt(daddrPrefix);
    }

    public int saddrPrefix() {
        return Byte.toUnsignedInt(saddrPrefix);
    }

    public int protocol() {
        return Byte.toUnsignedInt(protocol);
    }

    public int ifindex() {
        return ifindex;
    }

    public int user() {
        return user;
    }

    /** Whether a flow of the given family is one of ours; the kernel's {@code xfrm_selector_match}. */
    public boolean matches(Flow flow, int flowFamily) {
        return flowFamily == family
                && sharesPrefix(daddrHigh ^ flow.daddrHigh, daddrLow ^ flow.daddrLow, daddrPrefix())
                && sharesPrefix(saddrHigh ^ flow.saddrHigh, saddrLow ^ flow.saddrLow, saddrPrefix())
                && ((flow.dport ^ dport) & dportMask) == 0
                && ((flow.sport ^ sport) & sportMask) == 0
                && (protocol == 0 || flow.protocol == protocol())
                && (ifindex == 0 || flow.isAt(ifindex));
    }

    private static boolean sharesPrefix(long highDifference, long lowDifference, int prefixBits) {
        if (prefixBits == 0) {
            return true;
        }
        if (prefixBits <= 64) {
            return highDifference >>> 64 - prefixBits == 0;
        }
        return highDifference == 0 && lowDifference >>> 128 - Math.min(prefixBits, 128) == 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Selector that
                && daddrHigh == that.daddrHigh
                && daddrLow == that.daddrLow
                && saddrHigh == that.saddrHigh
                && saddrLow == that.saddrLow
                && ports() == that.ports()
                && numbers() == that.numbers()
                && ifindex == that.ifindex
                && user == that.user;
    }

    @Override
    public int hashCode() {
        long hash = (daddrHigh * 31 + daddrLow) * 31 + saddrHigh;
        hash = (hash * 31 + saddrLow) * 31 + ports();
        hash = ((hash * 31 + numbers()) * 31 + ifindex) * 31 + user;
        return Long.hashCode(hash);
    }

    private long ports() {
        return (long) dport << 48 | (long) dportMask << 32 | (long) sport << 16 | sportMask;
    }

    private long numbers() {
        return (long) family << 24 | daddrPrefix() << 16 | saddrPrefix() << 8 | protocol();
    }

    @Override
    public String toString() {
        return "%s/%d:%d/%x -> %s/%d:%d/%x family %d protocol %d ifindex %d user %d"
                .formatted(
                        saddr().toText(family),
                        saddrPrefix(),
                        sport(),
                        sportMask(),
                        daddr().toText(family),
                        daddrPrefix(),
                        dport(),
                        dportMask(),
                        family(),
                        protocol(),
                        ifindex,
                        user);
    }
}
