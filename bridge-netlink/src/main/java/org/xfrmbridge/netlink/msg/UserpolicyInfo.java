package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/** {@code struct xfrm_userpolicy_info}: the fixed part of NEWPOLICY, UPDPOLICY and their answers. */
public record UserpolicyInfo(
        Selector selector,
        Lifetime lifetime,
        LifetimeCurrent current,
        int priority,
        int index,
        int direction,
        int action,
        int flags,
        int share) {
    public static final int BYTES = 168;
    private static final int PADDING_BYTES = 4;

    public static UserpolicyInfo read(ByteBuffer in) {
        Selector selector = Structs.readSelector(in);
        Lifetime lifetime = Structs.readLifetime(in);
        LifetimeCurrent current = Structs.readLifetimeCurrent(in);
        int priority = in.getInt();
        int index = in.getInt();
        int direction = Byte.toUnsignedInt(in.get());
        int action = Byte.toUnsignedInt(in.get());
        int flags = Byte.toUnsignedInt(in.get());
        int share = Structs.readByteAndSkip(in, PADDING_BYTES);
        return new UserpolicyInfo(selector, lifetime, current, priority, index, direction, action, flags, share);
    }

    public void write(ByteBuffer out) {
        Structs.writeSelector(out, selector);
        Structs.writeLifetime(out, lifetime);
        Structs.writeLifetimeCurrent(out, current);
        out.putInt(priority).putInt(index);
        out.put((byte) direction).put((byte) action).put((byte) flags);
        Structs.writeByteAndPad(out, share, PADDING_BYTES);
    }
}
