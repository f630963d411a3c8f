package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Selector;

/** {@code struct xfrm_userpolicy_id}: the fixed part of GETPOLICY and DELPOLICY. */
public record UserpolicyId(Selector selector, int index, int direction) {
    public static final int BYTES = 64;

    public static UserpolicyId read(ByteBuffer in) {
        Selector selector = Structs.readSelector(in);
        int index = in.getInt();
        return new UserpolicyId(selector, index, Structs.readByteAndSkip(in, 3));
    }

    public void write(ByteBuffer out) {
        Structs.writeSelector(out, selector);
        out.putInt(index);
        Structs.writeByteAndPad(out, direction, 3);
    }
}
