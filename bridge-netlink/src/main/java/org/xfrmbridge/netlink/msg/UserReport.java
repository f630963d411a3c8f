package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Selector;

/** {@code struct xfrm_user_report}: the fixed part of REPORT. */
public record UserReport(int protocol, Selector selector) {
    public static final int BYTES = 60;

    public static UserReport read(ByteBuffer in) {
        int protocol = Structs.readByteAndSkip(in, 3);
        return new UserReport(protocol, Structs.readSelector(in));
    }

    public void write(ByteBuffer out) {
        Structs.writeByteAndPad(out, protocol, 3);
        Structs.writeSelector(out, selector);
    }
}
