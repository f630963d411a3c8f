package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.XfrmService.Defaults;

/** {@code struct xfrm_userpolicy_default}: three bytes, in the order in, forward, out. */
public final class UserpolicyDefault {
    public static final int BYTES = 3;

    private UserpolicyDefault() {}

    public static Defaults read(ByteBuffer in) {
        int inbound = Byte.toUnsignedInt(in.get());
        int forward = Byte.toUnsignedInt(in.get());
        return new Defaults(inbound, forward, Byte.toUnsignedInt(in.get()));
    }

    public static void write(ByteBuffer out, Defaults defaults) {
        out.put((byte) defaults.in()).put((byte) defaults.forward()).put((byte) defaults.out());
    }
}
