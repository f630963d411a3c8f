package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.xfrm.Direction;

/**
 * Which fields of a packet the elements of one set name: a packet is looked up there with these fields, masked.
 *
 * <p>{@code sport} and {@code dport} come with {@code protocol} only, and all elements of such a level are of protocols
 * with ports (TCP, UDP, UDP-Lite, SCTP, DCCP). A fragment may not show them, nor in IPv6 its protocol: as long as there
 * is a level with ports, or an IPv6 one with a protocol, every fragment of the direction and family must be selected.
 *
 * @param family {@link org.xfrmbridge.xfrm.AddressFamily#INET} or INET6
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
    /** Whether it selects every packet of its direction and family: it has no field, and at most one element. */
    public boolean isEmpty() {
        return saddrBits == 0 && daddrBits == 0 && !protocol && !sport && !dport && markMask == 0;
    }
}
