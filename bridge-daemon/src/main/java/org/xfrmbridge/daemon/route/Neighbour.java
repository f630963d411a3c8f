package org.xfrmbridge.daemon.route;

import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;

/** {@code struct ndmsg} and its attributes: family, index, state, flags, type. */
public record Neighbour(RouteMessage message) {
    /** NTF_USE: the kernel acts as if it had a packet for the neighbour, and so asks for it or checks on it. */
    public static final int USE = 0x01;

    static final int NDA_DST = 1;
    static final int NDA_LLADDR = 2;
    private static final int NDA_CACHEINFO = 3;
    private static final int NDA_PROBES = 4;
    private static final int NTF_PROXY = 0x08;
    /** NUD_REACHABLE. */
    static final int REACHABLE = 0x02;

    private static final int NUD_STALE = 0x04;
    private static final int NUD_PERMANENT = 0x80;
    /** NUD_VALID: permanent, noarp, reachable, probe, stale, delay. */
    private static final int NUD_VALID = 0x80 | 0x40 | 0x02 | 0x10 | 0x04 | 0x08;

    public int index() {
        return message.headerInt(4);
    }

    private int state() {
        return Short.toUnsignedInt(message.bytes().getShort(8));
    }

    public Address address() {
        return Addresses.of(message.attributes().getBytes(NDA_DST));
    }

    /** Its MAC address in the low 48 bits, or 0 while it is not known. */
    public long mac() {
        return (state() & NUD_VALID) != 0 ? Link.macOf(message.attributes().getBytes(NDA_LLADDR)) : 0;
    }

    public boolean isStale() {
        return (state() & NUD_STALE) != 0;
    }

    public boolean isPermanent() {
        return (state() & NUD_PERMANENT) != 0;
    }

    public boolean isProxy() {
        return (message.headerByte(10) & NTF_PROXY) != 0;
    }

    /** The same entry on another interface. */
    public RouteMessage movedTo(int newIndex) {
        NetlinkWriter out = new NetlinkWriter();
        out.room(12).put(message.payload(), 0, 4).putInt(newIndex).put(message.payload(), 8, 4);
        for (AttributeView attribute : AttributeView.of(message)) {
            if (attribute.type() != NDA_CACHEINFO && attribute.type() != NDA_PROBES) {
                out.putBytes(attribute.type(), attribute.bytes());
            }
        }
        return new RouteMessage(message.type(), out.toBytes());
    }
}
