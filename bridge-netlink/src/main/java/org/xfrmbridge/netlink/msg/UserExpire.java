package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;

/** {@code struct xfrm_user_expire}: the fixed part of EXPIRE, in both directions. */
public record UserExpire(UsersaInfo state, int hard) {
    public static final int BYTES = UsersaInfo.BYTES + 8;

    public static UserExpire read(ByteBuffer in) {
        UsersaInfo state = UsersaInfo.read(in);
        return new UserExpire(state, Structs.readByteAndSkip(in, 7));
    }

    public void write(ByteBuffer out) {
        state.write(out);
        Structs.writeByteAndPad(out, hard, 7);
    }
}
