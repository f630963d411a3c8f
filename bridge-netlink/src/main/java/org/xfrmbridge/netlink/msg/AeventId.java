package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;

/**
 * {@code struct xfrm_aevent_id}: the fixed part of NEWAE and GETAE. {@code flags} are {@code AE_} bits of
 * {@link XfrmMessage}.
 */
public record AeventId(UsersaId state, Address saddr, int flags, int reqid) {
    public static final int BYTES = UsersaId.BYTES + 24;

    public static AeventId read(ByteBuffer in) {
        UsersaId state = UsersaId.read(in);
        Address saddr = Structs.readAddress(in);
        int flags = in.getInt();
        return new AeventId(state, saddr, flags, in.getInt());
    }

    public void write(ByteBuffer out) {
        state.write(out);
        Structs.writeAddress(out, saddr);
        out.putInt(flags).putInt(reqid);
    }
}
