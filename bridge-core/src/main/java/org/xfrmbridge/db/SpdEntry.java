package org.xfrmbridge.db;

import java.util.Objects;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyName;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * One Policy in the {@link Spd}: its rank, and the bits that a flow must have, copied out of the selector so that a
 * candidate which asks for addresses alone costs one object. The smallest {@link PolicySet}, too.
 */
final class SpdEntry extends WalkEntry<Policy> implements PolicySet {
    /** No policy is preceded by it. */
    static final SpdEntry NONE = bound(Long.MAX_VALUE);

    static final int EXACT = 1;
    static final int BOTH_PREFIXED = 2;
    static final int SADDR_PREFIXED = 4;
    static final int DADDR_PREFIXED = 8;
    static final int ANY = 16;
    static final int ALL_LISTS = 31;

    /** INEXACT_PREFIXLEN_IPV4 and _IPV6: shorter prefixes are any address to a kernel. */
    private static final int SHORT_PREFIX_4 = 16;

    private static final int SHORT_PREFIX_6 = 48;

    private static final long LAST_POSITION = 0xffffffffL;

    /**
     * Priority, then position, in one signed number: lower wins. The position among policies of equal priority is the
     * age, or that of the policy it was an update of. Very late positions share a rank and are told apart by age.
     */
    long rank;

    /**
     * Which of the kernel's kinds of lists it is in, by its prefixes: one of the constants; 0 for a socket's, which is
     * only walked over. An update keeps its position within its list and is new to the others.
     */
    byte list;

    FieldMatch fields = FieldMatch.ANY;
    long daddrHigh;
    long daddrLow;
    long saddrHigh;
    long saddrLow;
    private byte family;
    private byte daddrBits;
    private byte saddrBits;
    /** Whether the fields here say all that the policy is named by, and its selector nothing more. */
    private boolean isPlain;

    private boolean isUpdate;

    /**
     * Takes the bits of a name, to find the entry that has it, or to {@link #become become} one. Never once it is in a
     * table.
     */
    SpdEntry set(PolicyName name) {
        Selector selector = name.selector();
        Address daddr = selector.daddr();
        Address saddr = selector.saddr();
        int bits = AddressFamily.bits(selector.family());
        family = (byte) selector.family();
        daddrBits = (byte) Math.min(selector.daddrPrefix(), bits);
        saddrBits = (byte) Math.min(selector.saddrPrefix(), bits);
        list = (byte) list(selector, daddr, saddr);
        daddrHigh = Prefix.high(daddr.high(), daddrLength());
        daddrLow = Prefix.low(daddr.low(), daddrLength());
        saddrHigh = Prefix.high(saddr.high(), saddrLength());
        saddrLow = Prefix.low(saddr.low(), saddrLength());
        fields = FieldMatch.of(name);
        isPlain = name.securityContext() == null
                && selector.user() == 0
                && selector.daddrPrefix() == daddrLength()
                && selector.saddrPrefix() == saddrLength()
                && hasAddresses(daddr.high(), daddr.low(), saddr.high(), saddr.low())
                && FieldMatch.ports(selector) == fields.ports();
        return this;
    }

    /**
     * Makes it the entry of a Policy with these bits, before anybody sees it. @param position among those of equal
     * priority
     */
    SpdEntry become(Policy policy, long position) {
        rank = rank(policy.spec().priority(), position);
        isUpdate = position != policy.age();
        setValue(policy);
        policy.setEntry(this);
        return this;
    }

    /** Whether its position is not its age, but that of a policy it was an update of. */
    boolean isUpdate() {
        return isUpdate;
    }

    /** A new one, which comes just behind all policies of its priority. */
    SpdEntry ceiling() {
        return bound(rank | LAST_POSITION);
    }

    /** Of no Policy: all that are better have a lower rank. */
    private static SpdEntry bound(long rank) {
        SpdEntry bound = new SpdEntry();
        bound.rank = rank;
        return bound;
    }

    static SpdEntry ofSocket(Policy policy) {
        SpdEntry entry = bound(Long.MAX_VALUE);
        entry.setValue(policy);
        policy.setEntry(entry);
        return entry;
    }

    private static long rank(int priority, long position) {
        return (long) (priority ^ Integer.MIN_VALUE) << 32 | Math.min(position, LAST_POSITION);
    }

    /** {@code policy_hash_bysel} and {@code xfrm_policy_inexact_alloc_chain}. */
    private static int list(Selector selector, Address daddr, Address saddr) {
        int bits = AddressFamily.bits(selector.family());
        if (selector.daddrPrefix() >= bits && selector.saddrPrefix() >= bits) {
            return EXACT;
        }
        boolean anyDaddr = isAny(daddr, selector.daddrPrefix(), selector.family());
        boolean anySaddr = isAny(saddr, selector.saddrPrefix(), selector.family());
        if (anyDaddr) {
            return anySaddr ? ANY : SADDR_PREFIXED;
        }
        return anySaddr ? DADDR_PREFIXED : BOTH_PREFIXED;
    }

    private static boolean isAny(Address address, int prefixBits, int family) {
        return prefixBits < (family == AddressFamily.INET ? SHORT_PREFIX_4 : SHORT_PREFIX_6) || address.isAny(family);
    }

    /** Where a Policy is; null if it has left its database. */
    static SpdEntry of(Policy policy) {
        return (SpdEntry) policy.entry();
    }

    /** {@link AddressFamily#INET} or INET6. */
    int family() {
        return family;
    }

    int daddrLength() {
        return daddrBits & 0xff;
    }

    int saddrLength() {
        return saddrBits & 0xff;
    }

    Policy policy() {
        return value();
    }

    boolean precedes(SpdEntry other) {
        return rank < other.rank || rank == other.rank && age() < other.age();
    }

    /** Later than all if it is a bound. */
    private long age() {
        return policy() == null ? Long.MAX_VALUE : policy().age();
    }

    /** The position in the order of an update of equal priority whose age is given. */
    long positionOfUpdate(long age) {
        long position = rank & LAST_POSITION;
        return position == LAST_POSITION ? age : position;
    }

    /** The kernel's {@code xfrm_policy_match}; family, type and direction are the classifier's. */
    boolean matches(Flow flow) {
        return fields.fit(flow) && hasAddressesOf(flow);
    }

    /** Whether every flow between its addresses matches, if it has no interface id either. */
    boolean matchesAll() {
        return fields == FieldMatch.ANY;
    }

    boolean hasAddressesOf(Flow flow) {
        return Prefix.isZero(flow.daddrHigh ^ daddrHigh, flow.daddrLow ^ daddrLow, daddrLength())
                && Prefix.isZero(flow.saddrHigh ^ saddrHigh, flow.saddrLow ^ saddrLow, saddrLength());
    }

    boolean hasAddressesOf(SpdEntry other) {
        return hasAddresses(other.daddrHigh, other.daddrLow, other.saddrHigh, other.saddrLow);
    }

    private boolean hasAddresses(long otherDaddrHigh, long otherDaddrLow, long otherSaddrHigh, long otherSaddrLow) {
        return daddrHigh == otherDaddrHigh
                && daddrLow == otherDaddrLow
                && saddrHigh == otherSaddrHigh
                && saddrLow == otherSaddrLow;
    }

    @Override
    public long bestRank() {
        return rank;
    }

    @Override
    public SpdEntry better(Flow flow, int lists, SpdEntry best) {
        return rank <= best.rank && (list & lists) != 0 && matches(flow) && precedes(best) ? this : best;
    }

    /**
     * Every bit of the selector counts, and the mark, interface id and security context. Plain names are compared
     * without a look at the spec.
     */
    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        if (isPlain != probe.isPlain) {
            return null;
        }
        boolean meant = isPlain
                ? daddrBits == probe.daddrBits
                        && saddrBits == probe.saddrBits
                        && hasAddressesOf(probe)
                        && fields.equals(probe.fields)
                : isNamed(name);
        return meant ? this : null;
    }

    private boolean isNamed(PolicyName name) {
        PolicySpec spec = policy().spec();
        return spec.ifId() == name.ifId()
                && spec.selector().equals(name.selector())
                && spec.mark().equals(name.mark())
                && Objects.equals(spec.securityContext(), name.securityContext());
    }

    int nameHash() {
        return nameHash(policy().spec());
    }

    /** A hash of what tells policies apart that match the same flows. */
    static int nameHash(PolicyName name) {
        return Hashing.hash(name.selector().hashCode(), Objects.hashCode(name.securityContext()));
    }

    @Override
    public SpdEntry sample() {
        return this;
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        action.accept(this);
    }
}
