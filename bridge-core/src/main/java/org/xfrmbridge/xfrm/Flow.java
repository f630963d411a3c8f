package org.xfrmbridge.xfrm;

/**
 * What the databases are asked with: the identity of the packet at hand, the kernel's {@code struct flowi}. Mutable and
 * reused packet by packet, hence confined to one thread and stored as a copy only; public fields because the packet
 * path fills it. Addresses are in the layout of {@link Address}; ports in host order, with ICMP type and code or a GRE
 * key in their place.
 */
public final class Flow {
    /** Of {@link #lowerIfindex}: no interface has this index. */
    public static final int NOT_ASKED = -1;

    /** Of {@link #cpu}: States for one CPU are not for it. */
    public static final int NO_CPU = StateSpec.ABSENT;

    public int family;
    public long saddrHigh;
    public long saddrLow;
    public long daddrHigh;
    public long daddrLow;
    public int protocol;
    public int sport;
    public int dport;
    public int mark;
    public int ifindex;
    /**
     * The interface that stands behind {@link #ifindex}, 0 if none: whose place that has taken, or to which the host's
     * routes lead. Who names it means this flow, too. {@link #NOT_ASKED} where no policy names any.
     */
    public int lowerIfindex;

    public int ifId;

    /** Of what is sent: the CPU that sends it, which may have States of its own. */
    public int cpu = NO_CPU;

    public Address saddr() {
        return new Address(saddrHigh, saddrLow);
    }

    public Address daddr() {
        return new Address(daddrHigh, daddrLow);
    }

    public Flow copyFrom(Flow other) {
        family = other.family;
        saddrHigh = other.saddrHigh;
        saddrLow = other.saddrLow;
        daddrHigh = other.daddrHigh;
        daddrLow = other.daddrLow;
        protocol = other.protocol;
        sport = other.sport;
        dport = other.dport;
        mark = other.mark;
        ifindex = other.ifindex;
        lowerIfindex = other.lowerIfindex;
        ifId = other.ifId;
        cpu = other.cpu;
        return this;
    }

    /** Whether it leaves or comes by an interface, which a selector names. */
    public boolean isAt(int index) {
        return index == ifindex || index == lowerIfindex;
    }

    /**
     * Whether all fields are equal, but for {@link #lowerIfindex}, which follows from the others, and {@link #cpu},
     * which most flows keep. No {@code equals}: a Flow changes, and must be no key of a map.
     */
    public boolean isSame(Flow other) {
        return saddrHigh == other.saddrHigh
                && daddrHigh == other.daddrHigh
                && sport == other.sport
                && dport == other.dport
                && protocol == other.protocol
                && family == other.family
                && saddrLow == other.saddrLow
                && daddrLow == other.daddrLow
                && mark == other.mark
                && ifindex == other.ifindex
                && ifId == other.ifId;
    }

    @Override
    public String toString() {
        return "%s:%d -> %s:%d protocol %d"
                .formatted(saddr().toText(family), sport, daddr().toText(family), dport, protocol);
    }
}
