package org.xfrmbridge.xfrm;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * Sixteen bytes in network order, as in the kernel's {@code xfrm_address_t}: an IPv6 address, or an IPv4 address in the
 * first four bytes. The family stands beside it in every structure, so it is not part of the value; the twelve bytes
 * behind an IPv4 address are kept as they came, because a kernel gives them back.
 *
 * @param high bytes 0 to 7, big endian
 * @param low bytes 8 to 15, big endian
 */
public record Address(long high, long low) {
    public static final int BYTES = 16;
    public static final Address ANY = new Address(0, 0);

    private static final long MAPPED_PREFIX = 0xffff_0000_0000L;

    /** An IPv4 address given in host order, 192.0.2.1 being 0xc0000201. */
    public static Address ofIpv4(int address) {
        return new Address((long) address << 32, 0);
    }

    /** Parses a textual IPv4 or IPv6 address; never asks a name server. */
    public static Address parse(String text) {
        byte[] bytes = InetAddresses.forString(text).getAddress();
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return bytes.length == 4 ? ofIpv4(buffer.getInt()) : new Address(buffer.getLong(), buffer.getLong());
    }

    /**
     * The same for an address of that family: an IPv4 address among those of IPv6 is a mapped one, ::ffff:192.0.2.1.
     */
    public static Address parse(String text, int family) {
        boolean mapped =
                family == AddressFamily.INET6 && InetAddresses.forString(text).getAddress().length == 4;
        return mapped ? parse(text).toMapped() : parse(text);
    }

    /** An IPv4 address as an IPv6 socket has it, ::ffff:192.0.2.1 (RFC 4291 2.5.5.2). */
    public Address toMapped() {
        return new Address(0, MAPPED_PREFIX | high >>> 32);
    }

    /** Whether an IPv6 address is such a one. */
    public boolean isMapped() {
        return high == 0 && (low & ~0xffff_ffffL) == MAPPED_PREFIX;
    }

    /** The IPv4 address that a mapped one stands for. */
    public Address unmapped() {
        return ofIpv4((int) low);
    }

    /** The IPv4 address in host order; meaningless for IPv6. */
    public int ipv4() {
        return (int) (high >>> 32);
    }

    /** The address without what stands behind an IPv4 address. */
    public Address only(int family) {
        return family == AddressFamily.INET ? ofIpv4(ipv4()) : this;
    }

    /** Whether the bytes that count for the family are all zero. */
    public boolean isAny(int family) {
        return family == AddressFamily.INET ? ipv4() == 0 : (high | low) == 0;
    }

    /** Whether both addresses are the same one of the family. */
    public boolean equalsAs(Address other, int family) {
        return family == AddressFamily.INET ? ipv4() == other.ipv4() : equals(other);
    }

    /** Whether the first {@code prefixBits} bits of both are equal; the kernel's {@code addr_match}. */
    public boolean sharesPrefix(Address other, int prefixBits) {
        if (prefixBits <= 0) {
            return true;
        }
        if (prefixBits <= 64) {
            return (high ^ other.high) >>> (64 - prefixBits) == 0;
        }
        return high == other.high && (low ^ other.low) >>> (128 - Math.min(prefixBits, 128)) == 0;
    }

    /** The address with all bits behind the first {@code prefixBits} cleared. */
    public Address prefix(int prefixBits) {
        if (prefixBits >= 128) {
            return this;
        }
        if (prefixBits <= 0) {
            return ANY;
        }
        return prefixBits <= 64
                ? new Address(high & -1L << (64 - prefixBits), 0)
                : new Address(high, low & -1L << (128 - prefixBits));
    }

    /** The address as {@code ip} prints it. */
    public String toText(int family) {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES).putLong(high).putLong(low);
        byte[] address = new byte[family == AddressFamily.INET ? 4 : BYTES];
        bytes.get(0, address);
        try {
            return InetAddresses.toAddrString(InetAddress.getByAddress(address));
        } catch (UnknownHostException e) {
            throw new AssertionError("an address of " + address.length + " bytes is always valid", e);
        }
    }

    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof Address other && high == other.high && low == other.low;
    }

    /** Written out, like those of other values that are shared: a record's own one costs three times as much. */
    @Override
    public int hashCode() {
        return Long.hashCode(31 * high + low);
    }

    @Override
    public String toString() {
        return toText(low == 0 && (int) high == 0 ? AddressFamily.INET : AddressFamily.INET6);
    }
}
