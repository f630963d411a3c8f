package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;

/** {@code struct xfrm_user_polexpire}: the fixed part of POLEXPIRE, in both directions. */
public record UserPolexpire(UserpolicyInfo policy, int hard) {
    public static final int BYTES = UserpolicyInfo.BYTES + 8;

    public static UserPolexpire read(ByteBuffer in) {
        UserpolicyInfo policy = UserpolicyInfo.read(in);
        return new UserPolexpire(policy, Structs.readByteAndSkip(in, 7));
    }

    public void write(ByteBuffer out) {
        policy.write(out);
        Structs.writeByteAndPad(out, hard, 7);
    }
}
