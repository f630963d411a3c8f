package org.xfrmbridge.net;

import java.util.Arrays;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The IP packet that a datapath thread has in hand: where its headers are in the {@link PacketBuffer} it lies in.
 * Mutable and reused packet by packet; public fields because every step of the path moves them.
 *
 * <pre>
 *   buffer.offset   offset                payload
 *   | Ethernet, tags | IP header, extensions | upper-layer header ...
 *     linkBytes       <---------------- length ---------------->
 * </pre>
 *
 * All offsets are into {@link #data}. After {@link #parse} or {@link #reparse} said {@link Kind#IP} every header up to
 * {@link #payload} is whole and {@code offset + length} lies within the frame.
 */
public final class IpPacket {
    /** What a frame turned out to be. */
    public enum Kind {
        IP,
        /** Certainly no IP: ARP and all the rest. */
        OTHER,
        /**
         * What may have IP inside of something that is not opened here: SNAP, MPLS, PPPoE, more tags than are looked
         * through.
         */
        ENCAPSULATED,
        /** Lengths that contradict each other, or headers cut short. */
        MALFORMED
    }

    public PacketBuffer buffer;
    public int linkBytes;
    public int offset;
    public int length;
    public int family;

    /** Upper-layer protocol: behind the extension headers, in IPv6. */
    public int protocol;
    /** Where the byte stands that names {@link #protocol}. */
    public int protocolAt;
    /** Where the upper-layer header begins; with a non-first fragment, its data. */
    public int payload;

    /** Whether it is a fragment, first or other; in IPv6 also one that is whole in itself (RFC 6946). */
    public boolean fragment;
    /** Where its data belongs in the datagram, in bytes. */
    public int fragmentStart;

    public boolean moreFragments;
    /** Whether it was put together from fragments, so that its sender let it be divided. */
    public boolean reassembled;
    /** IPv6: where the fragment header stands. */
    public int fragmentHeaderAt;
    /** IPv6: where the byte stands that names the fragment header. */
    public int fragmentNamedAt;

    private final byte[] link = new byte[Ethernet.MAX_HEADER_BYTES];

    public byte[] data() {
        return buffer.data;
    }

    public boolean isIpv4() {
        return family == AddressFamily.INET;
    }

    public int end() {
        return offset + length;
    }

    /** The longest packet of its family. */
    public int maxBytes() {
        return isIpv4() ? Ipv4.MAX_PACKET_BYTES : Ipv6.MAX_PACKET_BYTES;
    }

    /** Whether it may be divided on its way: the DF bit is clear, or its sender has divided it before. */
    public boolean mayBeFragmented() {
        return reassembled || (isIpv4() && !Ipv4.dontFragment(buffer.data, offset));
    }

    /** Number of bytes from the upper-layer header on. */
    public int payloadBytes() {
        return end() - payload;
    }

    /** Whether upper-layer headers can be looked at: not in a fragment other than the first. */
    public boolean hasUpperHeader() {
        return fragmentStart == 0;
    }

    /**
     * Looks at a frame: link header, IP header, extension headers. Padding behind the packet is not counted in
     * {@link #length}.
     */
    public Kind parse(PacketBuffer frame) {
        buffer = frame;
        reassembled = frame.longestFragment != 0;
        if (frame.length < Ethernet.HEADER_BYTES) {
            return Kind.MALFORMED;
        }
        linkBytes = Ethernet.headerBytes(frame.data, frame.offset, frame.length);
        int type = Ethernet.type(frame.data, frame.offset, linkBytes);
        int available = frame.length - linkBytes;
        return switch (type) {
            case Ethernet.TYPE_IPV4 -> parseIpv4(frame.offset + linkBytes, available);
            case Ethernet.TYPE_IPV6 -> parseIpv6(frame.offset + linkBytes, available);
            default ->
                Ethernet.mayCarryIp(frame.data, frame.offset, linkBytes, frame.length) ? Kind.ENCAPSULATED : Kind.OTHER;
        };
    }

    /** Looks at a packet of that family found inside the buffer, of which so many bytes are there. */
    public Kind reparse(int newFamily, int newOffset, int availableBytes) {
        return newFamily == AddressFamily.INET
                ? parseIpv4(newOffset, availableBytes)
                : parseIpv6(newOffset, availableBytes);
    }

    /** The same for the beginning of a packet, as ICMP errors quote it: its end is where the quote ends. */
    public Kind parseQuote(int newFamily, int newOffset, int availableBytes) {
        offset = newOffset;
        family = newFamily;
        fragment = false;
        fragmentStart = 0;
        moreFragments = false;
        length = availableBytes;
        byte[] data = buffer.data;
        if (newFamily == AddressFamily.INET6) {
            boolean whole = availableBytes >= Ipv6.HEADER_BYTES && (data[newOffset] >>> 4 & 0xf) == 6;
            return whole ? walkExtensions() : Kind.MALFORMED;
        }
        boolean whole = availableBytes >= Ipv4.HEADER_BYTES && data[newOffset] >>> 4 == 4;
        return whole ? readIpv4Header() : Kind.MALFORMED;
    }

    private Kind parseIpv4(int at, int available) {
        byte[] data = buffer.data;
        offset = at;
        family = AddressFamily.INET;
        if (available < Ipv4.HEADER_BYTES || data[at] >>> 4 != 4) {
            return Kind.MALFORMED;
        }
        length = Ipv4.totalLength(data, at);
        return length > available ? Kind.MALFORMED : readIpv4Header();
    }

    private Kind readIpv4Header() {
        byte[] data = buffer.data;
        int header = Ipv4.headerBytes(data, offset);
        if (header < Ipv4.HEADER_BYTES || length < header) {
            return Kind.MALFORMED;
        }
        protocolAt = offset + Ipv4.PROTOCOL;
        protocol = Ipv4.protocol(data, offset);
        payload = offset + header;
        int word = Bytes.u16(data, offset + Ipv4.FRAGMENT);
        fragmentStart = (word & Ipv4.FRAGMENT_OFFSET_MASK) << 3;
        moreFragments = (word & Ipv4.MORE_FRAGMENTS) != 0;
        fragment = moreFragments || fragmentStart != 0;
        return Kind.IP;
    }

    private Kind parseIpv6(int at, int available) {
        byte[] data = buffer.data;
        offset = at;
        family = AddressFamily.INET6;
        fragment = false;
        fragmentStart = 0;
        moreFragments = false;
        if (available < Ipv6.HEADER_BYTES || (data[at] >>> 4 & 0xf) != 6) {
            return Kind.MALFORMED;
        }
        length = Ipv6.totalLength(data, at);
        return length > available ? Kind.MALFORMED : walkExtensions();
    }

    private Kind walkExtensions() {
        byte[] data = buffer.data;
        int at = offset + Ipv6.HEADER_BYTES;
        int namedAt = offset + Ipv6.NEXT_HEADER;
        int next = Bytes.u8(data, namedAt);
        while (Ipv6.isExtension(next) && fragmentStart == 0) {
            if (at + Ipv6.MIN_EXTENSION_BYTES > end()) {
                return Kind.MALFORMED;
            }
            int bytes = Ipv6.MIN_EXTENSION_BYTES;
            if (next == IpProtocol.FRAGMENT) {
                noteFragment(at, namedAt);
            } else {
                bytes = Ipv6.extensionBytes(data, at);
            }
            namedAt = at;
            next = Bytes.u8(data, at);
            at += bytes;
        }
        protocol = next;
        protocolAt = namedAt;
        payload = at;
        return at > end() ? Kind.MALFORMED : Kind.IP;
    }

    private void noteFragment(int at, int namedAt) {
        int word = Bytes.u16(buffer.data, at + Ipv6.FRAGMENT_OFFSET_FLAGS);
        fragment = true;
        fragmentStart = word & ~7;
        moreFragments = (word & Ipv6.FRAGMENT_MORE) != 0;
        fragmentHeaderAt = at;
        fragmentNamedAt = namedAt;
    }

    /**
     * Where ESP in transport mode goes, as the kernel's ip6_find_1stfragopt has it: behind the IPv4 header; in IPv6
     * behind hop-by-hop and routing headers, and behind destination options unless a routing header came before.
     * {@link #protocol} and {@link #protocolAt} then say what stands there.
     */
    public int transportPoint() {
        byte[] data = buffer.data;
        if (isIpv4()) {
            protocolAt = offset + Ipv4.PROTOCOL;
            protocol = Ipv4.protocol(data, offset);
            return offset + Ipv4.headerBytes(data, offset);
        }
        int at = offset + Ipv6.HEADER_BYTES;
        protocolAt = offset + Ipv6.NEXT_HEADER;
        protocol = Bytes.u8(data, protocolAt);
        boolean routed = false;
        while (protocol == IpProtocol.ANY
                || protocol == IpProtocol.ROUTING
                || (protocol == IpProtocol.DSTOPTS && !routed)) {
            routed |= protocol == IpProtocol.ROUTING;
            protocolAt = at;
            protocol = Bytes.u8(data, at);
            at += Ipv6.extensionBytes(data, at);
        }
        return at;
    }

    /**
     * Names what the packet now carries in the byte at {@link #protocolAt}, and sets its lengths for a new end; false
     * if it has become too long.
     */
    public boolean complete(int newProtocol, int newEnd) {
        int total = newEnd - offset;
        if (total > maxBytes()) {
            return false;
        }
        protocol = newProtocol;
        Bytes.putU8(buffer.data, protocolAt, newProtocol);
        resize(total);
        return true;
    }

    /** Sets the length fields (and the checksum of IPv4) for a packet that is now so long. */
    public void resize(int newLength) {
        length = newLength;
        if (isIpv4()) {
            Ipv4.finish(buffer.data, offset, newLength);
        } else {
            Ipv6.putTotalLength(buffer.data, offset, newLength);
        }
    }

    /**
     * Sees to it that so many bytes can be put before and behind the packet; {@link #payload} and its like are then to
     * be found anew.
     */
    public boolean makeRoom(int headBytes, int tailBytes) {
        int before = headBytes + Ethernet.MAX_HEADER_BYTES;
        if (offset >= before && buffer.data.length - end() >= tailBytes) {
            return false;
        }
        byte[] larger = new byte[before + length + tailBytes];
        System.arraycopy(buffer.data, offset, larger, before, length);
        buffer.data = larger;
        offset = before;
        return true;
    }

    /** Remembers the link header, which what comes before the packet will overwrite. */
    public void keepLink() {
        System.arraycopy(buffer.data, buffer.offset, link, 0, linkBytes);
    }

    /** Copies out the link header kept. */
    public void copyLink(byte[] into) {
        System.arraycopy(link, 0, into, 0, linkBytes);
    }

    /**
     * Puts the link header kept before the packet again, with the EtherType of its family, and makes both the buffer's
     * frame.
     */
    public void restoreLink() {
        buffer.offset = offset - linkBytes;
        buffer.length = linkBytes + length;
        System.arraycopy(link, 0, buffer.data, buffer.offset, linkBytes);
        Ethernet.putType(buffer.data, buffer.offset, linkBytes, isIpv4() ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
    }

    /** Puts an untagged link header in the place of the one kept: tags are of the way that the packet took before. */
    public void replaceLink(long source, long destination) {
        MacAddress.write(link, Ethernet.SOURCE, source);
        MacAddress.write(link, Ethernet.DESTINATION, destination);
        linkBytes = Ethernet.HEADER_BYTES;
    }

    @Override
    public String toString() {
        return "family " + family + " protocol " + protocol + " " + length + " bytes: "
                + Arrays.toString(Arrays.copyOfRange(buffer.data, offset, Math.min(end(), buffer.data.length)));
    }
}
