package org.xfrmbridge.it.conformance;

import java.util.List;
import org.xfrmbridge.netlink.text.MessageText;

/** What goes through a socket in one call. */
record Datagram(Protocol protocol, byte[] bytes) {
    static Datagram netlink(byte[] bytes) {
        return new Datagram(Protocol.NETLINK, bytes);
    }

    static Datagram pfkey(byte[] bytes) {
        return new Datagram(Protocol.PF_KEY, bytes);
    }

    /** A line for each message in it, behind the lead. */
    List<String> lines(String lead) {
        return switch (protocol) {
            case NETLINK -> MessageText.render(lead, bytes);
            case PF_KEY -> List.of(lead + PfkeyText.render(bytes));
        };
    }
}
