package org.xfrmbridge.xfrm;

/** What an inbound packet names its State by: {@code struct xfrm_id}. The Spi is in host order. */
public record StateId(Address daddr, int spi, int protocol) {
    @Override
    public int hashCode() {
        return 31 * (31 * daddr.hashCode() + spi) + protocol;
    }

    @Override
    public String toString() {
        return "%s spi 0x%08x protocol %d".formatted(daddr, spi, protocol);
    }
}
