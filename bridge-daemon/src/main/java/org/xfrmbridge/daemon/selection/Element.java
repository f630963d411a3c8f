package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.xfrm.Address;

/**
 * One element of a level's set. Already masked: fields that the level does not have are 0.
 *
 * @param saddr in the layout of {@link Address}
 * @param daddr the same
 * @param protocol upper protocol
 * @param sport in host order
 * @param dport in host order
 * @param mark bits of the packet's mark under the level's mask
 */
public record Element(Level level, Address saddr, Address daddr, int protocol, int sport, int dport, int mark) {
    /** The element of another level that all packets of this one have. @param coarser without fields of its own */
    Element under(Level coarser) {
        if (coarser.equals(level)) {
            return this;
        }
        return new Element(
                coarser,
                saddr.prefix(coarser.saddrBits()),
                daddr.prefix(coarser.daddrBits()),
                coarser.protocol() ? protocol : 0,
                coarser.sport() ? sport : 0,
                coarser.dport() ? dport : 0,
                mark & coarser.markMask());
    }

    /** Of all but the level, well mixed: as good as different for different elements of one level. */
    long mixed() {
        long hash = mix(saddr.high()) ^ daddr.high();
        if ((saddr.low() | daddr.low()) != 0) {
            hash = mix(mix(hash) ^ saddr.low()) ^ daddr.low();
        }
        return mix(mix(hash) ^ (long) protocol << 32 ^ (long) sport << 16 ^ dport ^ (long) mark << 40 ^ mark >>> 24);
    }

    private static long mix(long value) {
        long mixed = (value ^ value >>> 32) * 0x9e3779b97f4a7c15L;
        return mixed ^ mixed >>> 29;
    }

    @Override
    public int hashCode() {
        long mixed = mixed();
        return (int) (mixed ^ mixed >>> 32);
    }
}
