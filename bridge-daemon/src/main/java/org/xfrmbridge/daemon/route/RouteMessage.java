package org.xfrmbridge.daemon.route;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * One rtnetlink message without its netlink header, as the kernel sent it. Kept as bytes, so that what is moved or
 * written down keeps also what this program does not know.
 *
 * @param payload not to be changed
 */
public record RouteMessage(int type, byte[] payload) {
    public static final int NEW_LINK = 16;
    public static final int DELETE_LINK = 17;
    public static final int GET_LINK = 18;
    public static final int SET_LINK = 19;
    public static final int NEW_ADDRESS = 20;
    public static final int DELETE_ADDRESS = 21;
    public static final int GET_ADDRESS = 22;
    public static final int NEW_ROUTE = 24;
    public static final int DELETE_ROUTE = 25;
    public static final int GET_ROUTE = 26;
    public static final int NEW_NEIGHBOUR = 28;
    public static final int DELETE_NEIGHBOUR = 29;
    public static final int GET_NEIGHBOUR = 30;
    public static final int NEW_RULE = 32;
    public static final int DELETE_RULE = 33;
    public static final int GET_RULE = 34;
    public static final int NEW_QDISC = 36;
    public static final int NEW_FILTER = 44;
    public static final int DELETE_FILTER = 45;
    public static final int GET_FILTER = 46;
    public static final int NEW_NETCONF = 80;
    public static final int GET_NETCONF = 82;
    public static final int NEW_NEXT_HOP = 104;
    public static final int DELETE_NEXT_HOP = 105;
    public static final int GET_NEXT_HOP = 106;

    private static final int LAST_LINK_TYPE = 19;
    private static final int LAST_ADDRESS_TYPE = 23;
    private static final int MAX_ATTRIBUTE = 80;
    private static final String[] NAMES = {"NEW", "DEL", "GET", "SET"};
    private static final String[] FAMILIES = {"LINK", "ADDR", "ROUTE", "NEIGH", "RULE", "QDISC", "TCLASS", "TFILTER"};

    /**
     * {@code struct ifinfomsg} 16 bytes, {@code ifaddrmsg} 8, {@code rtmsg} 12, {@code ndmsg} 12, {@code netconfmsg} 4,
     * {@code nhmsg} 8, {@code tcmsg} 20.
     */
    public static int headerBytes(int type) {
        if (type >= NEW_NETCONF && type <= GET_NETCONF) {
            return 4;
        }
        if (type >= NEW_QDISC && type <= GET_FILTER) {
            return 20;
        }
        if (type <= LAST_LINK_TYPE) {
            return 16;
        }
        return type <= LAST_ADDRESS_TYPE || type >= NEW_NEXT_HOP && type <= GET_NEXT_HOP ? 8 : 12;
    }

    /** The message that a reader stands at, kept. */
    public static RouteMessage copyOf(NetlinkReader reader) {
        byte[] payload = new byte[reader.payload().remaining()];
        reader.payload().get(payload);
        return new RouteMessage(reader.header().type(), payload);
    }

    /** The name a person knows it by, RTM_NEWADDR for example. */
    public static String nameOf(int type) {
        int family = (type - NEW_LINK) / 4;
        return family >= 0 && family < FAMILIES.length ? "RTM_" + NAMES[type & 3] + FAMILIES[family] : "RTM " + type;
    }

    public ByteBuffer bytes() {
        return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
    }

    public Attributes attributes() {
        return Attributes.parse(bytes(), headerBytes(type), MAX_ATTRIBUTE);
    }

    /** AF_ number: every header of rtnetlink starts with it. */
    public int family() {
        return payload[0] & 0xff;
    }

    /** Byte in the fixed header, unsigned. */
    public int headerByte(int offset) {
        return payload[offset] & 0xff;
    }

    /** Number in the fixed header. */
    public int headerInt(int offset) {
        return bytes().getInt(offset);
    }
}
