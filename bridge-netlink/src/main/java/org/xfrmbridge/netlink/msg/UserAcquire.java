package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;

/** {@code struct xfrm_user_acquire}: the fixed part of ACQUIRE, in both directions. */
public record UserAcquire(
        StateId id,
        Address saddr,
        Selector selector,
        UserpolicyInfo policy,
        int authMask,
        int cipherMask,
        int compressionMask,
        int seq) {
    public static final int BYTES = 280;

    public static UserAcquire read(ByteBuffer in) {
        StateId id = Structs.readId(in);
        Address saddr = Structs.readAddress(in);
        Selector selector = Structs.readSelector(in);
        UserpolicyInfo policy = UserpolicyInfo.read(in);
        int authMask = in.getInt();
        int cipherMask = in.getInt();
        int compressionMask = in.getInt();
        return new UserAcquire(id, saddr, selector, policy, authMask, cipherMask, compressionMask, in.getInt());
    }

    public void write(ByteBuffer out) {
        Structs.writeId(out, id);
        Structs.writeAddress(out, saddr);
        Structs.writeSelector(out, selector);
        policy.write(out);
        out.putInt(authMask).putInt(cipherMask).putInt(compressionMask).putInt(seq);
    }
}
