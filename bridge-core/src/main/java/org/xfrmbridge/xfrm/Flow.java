package org.xfrmbridge.xfrm;

/**
 * What the databases are asked with: the identity of the packet at hand, the kernel's {@code struct flowi}. Mutable and
 * reused packet by packet, hence confined to one thread and never stored; public fields because the packet path fills it.
 * Addresses are in the layout of {@link Address}; ports in host order, with ICMP type and code or a GRE key in their place.
 */
public final class Flow {
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
    public int ifId;

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
        ifId = other.ifId;
        return this;
    }

    @Override
    public String toString() {
        return "%s:%d -> %s:%d protocol %d"
                .formatted(saddr().toText(family), sport, daddr().toText(family), dport, protocol);
    }
}
