package org.xfrmbridge.db;

import java.util.Arrays;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * One Policy in the {@link Spd}: its rank, and the bits that a flow must have, copied out of the selector so that a candidate costs one
 * object. The smallest {@link Shelf}, too.
 */
final class SpdEntry extends WalkEntry<Policy> implements Shelf {
    /** No policy is preceded by it. */
    static final SpdEntry NONE = bound(Long.MAX_VALUE);

    static final int EXACT = 1;
    static final int BOTH_PREFIXED = 2;
    static final int SADDR_PREFIXED = 4;
    static final int DADDR_PREFIXED = 8;
    static final int ANY = 16;
    static final int ALL_LANES = 31;

    /** INEXACT_PREFIXLEN_IPV4 and _IPV6: shorter prefixes are any address to a kernel. */
    private static final int SHORT_PREFIX_4 = 16;
    private static final int SHORT_PREFIX_6 = 48;

    private static final long LAST_PLACE = 0xffffffffL;

    /**
     * Priority, then place, in one signed number: lower wins. The place among policies of equal priority is the age, or that of the
     * policy it was an update of. Very late places share a rank and are told apart by age.
     */
    long rank;

    /**
     * Which of the kernel's kinds of lists it is in, by its prefixes: one of the constants; 0 for a socket's, which is only walked over.
     * An update keeps its place within its lane and is new to the others.
     */
    final byte lane;

    /** Not null if its place is not its age: comes just behind all policies of its priority. */
    SpdEntry ceiling;

    private final byte daddrBits;
    private final byte saddrBits;
    /** Whether the fields here say all that the policy is named by, and its selector nothing more. */
    private final boolean isPlain;
    final long daddrHigh;
    final long daddrLow;
    final long saddrHigh;
    final long saddrLow;

    /** As in {@link #ports(Flow)}. */
    final long ports;

    final long portsMask;
    final int mark;
    final int markMask;
    final int ifindex;
    final int ifId;

    /** The bits of a spec. It can find the entry of the same name, or {@link #place become} one. */
    SpdEntry(PolicySpec spec) {
        Selector selector = spec.selector();
        int bits = AddressFamily.bits(selector.family());
        int daddrBits = Math.min(selector.daddrPrefix(), bits);
        int saddrBits = Math.min(selector.saddrPrefix(), bits);
        lane = (byte) lane(selector, bits);
        this.daddrBits = (byte) daddrBits;
        this.saddrBits = (byte) saddrBits;
        daddrHigh = Prefix.high(selector.daddr().high(), daddrBits);
        daddrLow = Prefix.low(selector.daddr().low(), daddrBits);
        saddrHigh = Prefix.high(selector.saddr().high(), saddrBits);
        saddrLow = Prefix.low(selector.saddr().low(), saddrBits);
        portsMask = ports(selector.sportMask(), selector.dportMask(), selector.protocol() == 0 ? 0 : 0xff);
        ports = ports(selector.sport(), selector.dport(), selector.protocol()) & portsMask;
        mark = spec.mark().value();
        markMask = spec.mark().mask();
        ifindex = selector.ifindex();
        ifId = spec.ifId();
        isPlain = spec.securityContext() == null && isPlain(selector);
    }

    /** Makes it the entry of a Policy with these bits, before anybody sees it. @param place among those of equal priority */
    SpdEntry place(Policy policy, long place) {
        int priority = policy.spec().priority();
        rank = rank(priority, place);
        ceiling = place == policy.age() ? null : bound(rank(priority, LAST_PLACE));
        setValue(policy);
        policy.place = this;
        return this;
    }

    /** Whether a selector has no bits that say nothing of the flows it is for. */
    private boolean isPlain(Selector selector) {
        Address daddr = new Address(daddrHigh, daddrLow);
        Address saddr = new Address(saddrHigh, saddrLow);
        return selector.user() == 0
                && selector.daddrPrefix() == daddrLength()
                && selector.saddrPrefix() == saddrLength()
                && selector.daddr().equals(daddr)
                && selector.saddr().equals(saddr)
                && ports(selector.sport(), selector.dport(), selector.protocol()) == ports;
    }

    /** One that no flow matches. */
    private SpdEntry() {
        lane = 0;
        daddrBits = saddrBits = 0;
        daddrHigh = daddrLow = saddrHigh = saddrLow = ports = portsMask = 0;
        mark = markMask = ifindex = ifId = 0;
        isPlain = false;
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
        policy.place = entry;
        return entry;
    }

    private static long rank(int priority, long place) {
        return (long) (priority ^ Integer.MIN_VALUE) << 32 | Math.min(place, LAST_PLACE);
    }

    /** {@code policy_hash_bysel} and {@code xfrm_policy_inexact_alloc_chain}. */
    private static int lane(Selector selector, int bits) {
        if (selector.daddrPrefix() >= bits && selector.saddrPrefix() >= bits) {
            return EXACT;
        }
        boolean anyDaddr = isAny(selector.daddr(), selector.daddrPrefix(), selector.family());
        boolean anySaddr = isAny(selector.saddr(), selector.saddrPrefix(), selector.family());
        if (anyDaddr) {
            return anySaddr ? ANY : SADDR_PREFIXED;
        }
        return anySaddr ? DADDR_PREFIXED : BOTH_PREFIXED;
    }

    private static boolean isAny(Address address, int prefixBits, int family) {
        return prefixBits < (family == AddressFamily.INET ? SHORT_PREFIX_4 : SHORT_PREFIX_6) || address.isAny(family);
    }

    private static long ports(int sport, int dport, int protocol) {
        return (long) sport << 24 | (long) dport << 8 | protocol;
    }

    /** Source port, destination port and protocol in one. */
    static long ports(Flow flow) {
        return ports(flow.sport, flow.dport, flow.protocol);
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

    /** The place in the order of an update of equal priority whose age is given. */
    long placeOfUpdate(long age) {
        long place = rank & LAST_PLACE;
        return place == LAST_PLACE ? age : place;
    }

    /** The kernel's {@code xfrm_policy_match}; family, type and direction are the classifier's. */
    boolean matches(Flow flow) {
        return ifId == flow.ifId
                && ((ports(flow) ^ ports) & portsMask) == 0
                && (flow.mark & markMask) == mark
                && (ifindex == 0 || ifindex == flow.ifindex)
                && hasAddressesOf(flow);
    }

    /** Whether every flow between its addresses matches, if it has no interface id either. */
    boolean matchesAll() {
        return (portsMask | mark | markMask | ifindex | ifId) == 0;
    }

    boolean hasAddressesOf(Flow flow) {
        return Prefix.isZero(flow.daddrHigh ^ daddrHigh, flow.daddrLow ^ daddrLow, daddrLength())
                && Prefix.isZero(flow.saddrHigh ^ saddrHigh, flow.saddrLow ^ saddrLow, saddrLength());
    }

    boolean hasAddressesOf(SpdEntry other) {
        return daddrHigh == other.daddrHigh
                && daddrLow == other.daddrLow
                && saddrHigh == other.saddrHigh
                && saddrLow == other.saddrLow;
    }

    @Override
    public long bestRank() {
        return rank;
    }

    @Override
    public SpdEntry better(Flow flow, int lanes, SpdEntry best) {
        return rank <= best.rank && (lane & lanes) != 0 && matches(flow) && precedes(best) ? this : best;
    }

    /** Every bit of the selector counts, and the mark, interface id and security context. Plain names are compared without a look at the spec. */
    @Override
    public SpdEntry named(PolicySpec name, SpdEntry probe) {
        if (isPlain != probe.isPlain) {
            return null;
        }
        boolean meant = isPlain
                ? daddrBits == probe.daddrBits
                        && saddrBits == probe.saddrBits
                        && hasAddressesOf(probe)
                        && ports == probe.ports
                        && portsMask == probe.portsMask
                        && mark == probe.mark
                        && markMask == probe.markMask
                        && ifindex == probe.ifindex
                        && ifId == probe.ifId
                : isNamed(name);
        return meant ? this : null;
    }

    private boolean isNamed(PolicySpec name) {
        PolicySpec spec = policy().spec();
        return spec.ifId() == name.ifId()
                && spec.selector().equals(name.selector())
                && spec.mark().equals(name.mark())
                && Arrays.equals(spec.securityContext(), name.securityContext());
    }

    int nameHash() {
        return nameHash(policy().spec());
    }

    /** A hash of what tells policies apart that match the same flows. */
    static int nameHash(PolicySpec name) {
        return Hashing.hash(name.selector().hashCode(), Arrays.hashCode(name.securityContext()));
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
