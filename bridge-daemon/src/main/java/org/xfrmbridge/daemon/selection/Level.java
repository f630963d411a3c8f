package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/**
 * Which fields of a packet the elements of one set name: a packet is looked up there with these fields, masked.
 *
 * <p>{@code sport} and {@code dport} come with {@code protocol} only, and all elements of such a level are of protocols
 * with ports (TCP, UDP, UDP-Lite, SCTP, DCCP). A fragment may not show them, nor in IPv6 its protocol: as long as there
 * is a level with ports, or an IPv6 one with a protocol, every fragment of the direction and family must be selected.
 *
 * @param family {@link AddressFamily#INET} or INET6
 * @param saddrBits leading bits of the source address that count; 0: the address is no field of the set
 * @param daddrBits the same of the destination
 * @param protocol whether the upper protocol is a field: as {@code meta l4proto} has it
 * @param sport whether the whole source port is a field
 * @param dport whether the whole destination port is a field
 * @param markMask bits of the packet's mark that count; 0: the mark is no field
 */
public record Level(
        Direction direction,
        int family,
        int saddrBits,
        int daddrBits,
        boolean protocol,
        boolean sport,
        boolean dport,
        int markMask) {
    /** A field's worth in bits: by how much it narrows down what packets of a host usually have. */
    private static final int PROTOCOL_WORTH = 2;

    private static final int PORT_WORTH = 8;
    private static final int MARK_WORTH = 6;

    /** Half of an IPv6 address is a network's, and of the rest few are in use. */
    private static final int NETWORK6_BITS = 64;

    private static final int HOST6_WORTH = 8;

    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof Level other
                && direction == other.direction
                && family == other.family
                && saddrBits == other.saddrBits
                && daddrBits == other.daddrBits
                && protocol == other.protocol
                && sport == other.sport
                && dport == other.dport
                && markMask == other.markMask;
    }

    /** Whether it has no field: it stands for every packet of its direction and family. */
    public boolean isEmpty() {
        return saddrBits == 0 && daddrBits == 0 && !protocol && !sport && !dport && markMask == 0;
    }

    /** All fields that both have. */
    Level common(Level other) {
        return new Level(
                direction,
                family,
                Math.min(saddrBits, other.saddrBits),
                Math.min(daddrBits, other.daddrBits),
                protocol && other.protocol,
                sport && other.sport,
                dport && other.dport,
                markMask == other.markMask ? markMask : 0);
    }

    /** The binary logarithm of how many times fewer packets one element is thought to select than an empty level. */
    double worth() {
        int ports = (sport ? PORT_WORTH : 0) + (dport ? PORT_WORTH : 0);
        return worth(saddrBits)
                + worth(daddrBits)
                + (protocol ? PROTOCOL_WORTH : 0)
                + ports
                + (markMask != 0 ? MARK_WORTH : 0);
    }

    private double worth(int bits) {
        if (family == AddressFamily.INET) {
            return bits;
        }
        return bits <= NETWORK6_BITS ? bits / 2.0 : NETWORK6_BITS / 2.0 + HOST6_WORTH;
    }

    /** Written out: a record's own one costs three times as much. */
    @Override
    public int hashCode() {
        int flags = (protocol ? 1 : 0) | (sport ? 2 : 0) | (dport ? 4 : 0) | direction.number() << 3;
        return ((saddrBits * 31 + daddrBits) * 31 + flags) * 31 + family + markMask * 0x9e3779b1;
    }
}
