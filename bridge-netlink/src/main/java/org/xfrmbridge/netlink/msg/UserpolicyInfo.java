package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
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
    public static final int SHARE_ANY = 0;
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

    /**
     * What {@link #write(ByteBuffer)} would write of a Policy, without the record: dumps tell millions. A kernel keeps
     * no share.
     */
    public static void write(ByteBuffer out, Policy policy, int direction) {
        PolicySpec spec = policy.spec();
        Structs.writeSelector(out, spec.selector());
        Structs.writeLifetime(out, spec.lifetime());
        Structs.writeUsage(out, policy.usage());
        out.putInt(spec.priority()).putInt(spec.index());
        out.put((byte) direction).put((byte) spec.action().ordinal()).put((byte) spec.flags());
        Structs.writeByteAndPad(out, SHARE_ANY, PADDING_BYTES);
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
