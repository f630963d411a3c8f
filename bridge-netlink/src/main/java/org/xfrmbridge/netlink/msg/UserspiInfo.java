package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;

/**
 * {@code struct xfrm_userspi_info}: the fixed part of ALLOCSPI. The range is in host order, unsigned, both ends
 * included.
 */
public record UserspiInfo(UsersaInfo info, int min, int max) {
    public static final int BYTES = UsersaInfo.BYTES + 8;

    public static UserspiInfo read(ByteBuffer in) {
        UsersaInfo info = UsersaInfo.read(in);
        int min = in.getInt();
        return new UserspiInfo(info, min, in.getInt());
    }

    public void write(ByteBuffer out) {
        info.write(out);
        out.putInt(min).putInt(max);
    }
}
