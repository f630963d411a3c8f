package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.xfrmbridge.netlink.text.MessageText;

/** What goes through a socket in one call; or a pause. */
record Datagram(Protocol protocol, byte[] bytes) {
    static Datagram netlink(byte[] bytes) {
        return new Datagram(Protocol.NETLINK, bytes);
    }

    static Datagram pfkey(byte[] bytes) {
        return new Datagram(Protocol.PF_KEY, bytes);
    }

    /** Time for timers: what they tell is heard. In milliseconds. */
    static Datagram pause(int ms) {
        return new Datagram(Protocol.PAUSE, Draft.number(ms));
    }

    /** A line for each message in it, behind the lead. */
    List<String> lines(String lead) {
        return switch (protocol) {
            case NETLINK -> MessageText.render(lead, bytes);
            case PF_KEY -> List.of(lead + PfkeyText.render(bytes));
            case PAUSE -> List.of(lead + "pause of " + pauseMs() + " ms");
        };
    }

    int pauseMs() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt();
    }
}
