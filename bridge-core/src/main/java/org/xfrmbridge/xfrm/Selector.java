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

    private Selector(Builder from) {
        daddrHigh = from.daddr.high();
        daddrLow = from.daddr.low();
        saddrHigh = from.saddr.high();
        saddrLow = from.saddr.low();
        dport = (char) from.dport;
        dportMask = (char) from.dportMask;
        sport = (char) from.sport;
        sportMask = (char) from.sportMask;
        family = (char) from.family;
        daddrPrefix = (byte) from.daddrPrefix;
        saddrPrefix = (byte) from.saddrPrefix;
        protocol = (byte) from.protocol;
        ifindex = from.ifindex;
        user = from.user;
    }

    /** Matches every packet of the family. */
    public static Selector any(int family) {
        return of(family).build();
    }

    /** Begins as {@link #any}; narrow it down. */
    public static Builder of(int family) {
        return new Builder().family(family);
    }

    public Builder toBuilder() {
        return of(family)
                .saddr(saddr(), saddrPrefix())
                .daddr(daddr(), daddrPrefix())
                .sport(sport, sportMask)
                .dport(dport, dportMask)
                .protocol(protocol())
                .ifindex(ifindex)
                .user(user);
    }

    /**
     * From one net to the other, each as {@code 10.1.0.0/16} or an address alone.
     *
     * @throws IllegalArgumentException if they are not, or not of one family
     */
    public static Builder between(String source, String destination) {
        int family = AddressFamily.ofText(source);
        if (AddressFamily.ofText(destination) != family) {
            throw new IllegalArgumentException(source + " and " + destination + " are not of one family");
        }
        return of(family)
                .saddr(Address.parse(address(source)), prefix(source, family))
                .daddr(Address.parse(address(destination)), prefix(destination, family));
    }

    private static String address(String net) {
        int slash = net.indexOf('/');
        return slash < 0 ? net : net.substring(0, slash);
    }

    private static int prefix(String net, int family) {
        int slash = net.indexOf('/');
        return slash < 0 ? AddressFamily.bits(family) : Integer.parseInt(net.substring(slash + 1));
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
                && hasDestination(flow)
                && hasSource(flow)
                && ((flow.dport ^ dport) & dportMask) == 0
                && ((flow.sport ^ sport) & sportMask) == 0
                && (protocol == 0 || flow.protocol == protocol())
                && (ifindex == 0 || flow.isAt(ifindex));
    }

    /** Whether a flow of its family has one of its destinations. */
    public boolean hasDestination(Flow flow) {
        return sharesPrefix(daddrHigh ^ flow.daddrHigh, daddrLow ^ flow.daddrLow, daddrPrefix());
    }

    /** The same of sources. */
    public boolean hasSource(Flow flow) {
        return sharesPrefix(saddrHigh ^ flow.saddrHigh, saddrLow ^ flow.saddrLow, saddrPrefix());
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

    /**
     * Numbers are cut to the width they have in the kernel's structure: ports, masks and family 16 bits, prefixes and
     * protocol 8.
     */
    public static final class Builder {
        private int family;
        private Address daddr = Address.ANY;
        private Address saddr = Address.ANY;
        private int daddrPrefix;
        private int saddrPrefix;
        private int dport;
        private int dportMask;
        private int sport;
        private int sportMask;
        private int protocol;
        private int ifindex;
        private int user;

        private Builder() {}

        public Builder family(int number) {
            family = number;
            return this;
        }

        public Builder saddr(Address address, int prefixBits) {
            saddr = address;
            saddrPrefix = prefixBits;
            return this;
        }

        public Builder daddr(Address address, int prefixBits) {
            daddr = address;
            daddrPrefix = prefixBits;
            return this;
        }

        /** This port alone. */
        public Builder sport(int port) {
            return sport(port, 0xffff);
        }

        public Builder sport(int port, int mask) {
            sport = port;
            sportMask = mask;
            return this;
        }

        /** This port alone. */
        public Builder dport(int port) {
            return dport(port, 0xffff);
        }

        public Builder dport(int port, int mask) {
            dport = port;
            dportMask = mask;
            return this;
        }

        public Builder protocol(int number) {
            protocol = number;
            return this;
        }

        public Builder ifindex(int index) {
            ifindex = index;
            return this;
        }

        public Builder user(int id) {
            user = id;
            return this;
        }

        public Selector build() {
            return new Selector(this);
        }
    }
}
