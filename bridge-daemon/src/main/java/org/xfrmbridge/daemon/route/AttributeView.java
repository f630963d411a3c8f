package org.xfrmbridge.daemon.route;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.netlink.nl.NetlinkHeader;

/**
 * One attribute of a message in its place, for rewriting a message whole. @param type with its flag bits, as it came
 */
record AttributeView(int type, byte[] bytes) {
    static List<AttributeView> of(RouteMessage message) {
        ByteBuffer payload = message.bytes();
        List<AttributeView> found = new ArrayList<>();
        int at = RouteMessage.headerBytes(message.type());
        while (payload.limit() - at >= 4) {
            int lengthBytes = Short.toUnsignedInt(payload.getShort(at));
            if (lengthBytes < 4 || lengthBytes > payload.limit() - at) {
                break;
            }
            byte[] bytes = new byte[lengthBytes - 4];
            payload.get(at + 4, bytes);
            found.add(new AttributeView(Short.toUnsignedInt(payload.getShort(at + 2)), bytes));
            at += NetlinkHeader.align(lengthBytes);
        }
        return found;
    }

    String text() {
        int length = bytes.length > 0 && bytes[bytes.length - 1] == 0 ? bytes.length - 1 : bytes.length;
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }
}
