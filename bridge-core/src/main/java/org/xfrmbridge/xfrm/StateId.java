package org.xfrmbridge.xfrm;

/** What an inbound packet names its State by: {@code struct xfrm_id}. The Spi is in host order. */
public record StateId(Address daddr, int spi, int protocol) {
    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof StateId other
                && daddr.equals(other.daddr)
                && spi == other.spi
                && protocol == other.protocol;
    }

    @Override
    public int hashCode() {
        return 31 * (31 * daddr.hashCode() + spi) + protocol;
    }

    @Override
    public String toString() {
        return "%s spi 0x%08x protocol %d".formatted(daddr, spi, protocol);
    }
}
