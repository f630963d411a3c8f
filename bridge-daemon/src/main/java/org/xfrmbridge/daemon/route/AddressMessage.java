package org.xfrmbridge.daemon.route;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** {@code struct ifaddrmsg} and its attributes: family, prefix length, flags, scope, index. */
public record AddressMessage(RouteMessage message) {
    private static final int AF_INET6 = 10;
    private static final int IFA_ADDRESS = 1;
    private static final int IFA_LOCAL = 2;
    private static final int IFA_LABEL = 3;
    private static final int IFA_FLAGS = 8;
    private static final int IFA_F_TEMPORARY = 0x01;
    private static final int IFA_F_NODAD = 0x02;
    private static final byte HOST_SCOPE = (byte) 254;

    public int index() {
        return message.headerInt(4);
    }

    public int prefixBits() {
        return message.headerByte(1);
    }

    public int flags() {
        return message.attributes().getInt(IFA_FLAGS, message.headerByte(2));
    }

    /** A private IPv6 address: the kernel makes them itself, next to the one they belong to. */
    public boolean isTemporary() {
        return message.family() == AF_INET6 && (flags() & IFA_F_TEMPORARY) != 0;
    }

    /**
     * Gives an interface an IPv4 address that is the host's alone, and no source of packets to others, if it does not
     * have it.
     */
    public static void addHostAddress(RouteSocket socket, Address address, int index) throws OsException {
        NetlinkWriter request =
                socket.request(RouteMessage.NEW_ADDRESS, NetlinkHeader.CREATE | NetlinkHeader.EXCLUSIVE);
        request.room(8)
                .put((byte) AddressFamily.INET)
                .put((byte) AddressFamily.bits(AddressFamily.INET))
                .put((byte) 0)
                .put(HOST_SCOPE)
                .putInt(index);
        byte[] bytes = Addresses.bytes(AddressFamily.INET, address);
        try {
            socket.change(request.putBytes(IFA_LOCAL, bytes).putBytes(IFA_ADDRESS, bytes));
        } catch (OsException e) {
            if (e.errno() != OsException.EEXIST) {
                throw e;
            }
        }
    }

    /** The host's own address. */
    public Address local() {
        Attributes attributes = message.attributes();
        return Addresses.of(attributes.getBytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS));
    }

    /** The same address for another interface. A label follows the interface's name: eth0:1 becomes xfrm0:1. */
    public RouteMessage movedTo(Link from, Link to) {
        return rewritten(to.index(), from.name(), to.name(), flags());
    }

    /** The same without the second in which an IPv6 address is doubted: it has just been in use. */
    public RouteMessage withoutDetection() {
        return rewritten(index(), null, null, flags() | IFA_F_NODAD);
    }

    private RouteMessage rewritten(int index, String oldLabel, String newLabel, int flags) {
        NetlinkWriter out = new NetlinkWriter();
        out.room(8).put(message.payload(), 0, 4).putInt(index);
        for (AttributeView attribute : AttributeView.of(message)) {
            switch (attribute.type()) {
                case IFA_LABEL -> out.putString(IFA_LABEL, relabelled(attribute.text(), oldLabel, newLabel));
                case IFA_FLAGS -> out.putInt(IFA_FLAGS, flags);
                default -> out.putBytes(attribute.type(), attribute.bytes());
            }
        }
        return new RouteMessage(message.type(), out.toBytes());
    }

    private static String relabelled(String label, String oldName, String newName) {
        boolean ours = oldName != null && (label.equals(oldName) || label.startsWith(oldName + ":"));
        // IFNAMSIZ: a label is at most as long as a name.
        String renamed = ours ? newName + label.substring(oldName.length()) : label;
        return renamed.length() <= 15 ? renamed : newName;
    }
}
