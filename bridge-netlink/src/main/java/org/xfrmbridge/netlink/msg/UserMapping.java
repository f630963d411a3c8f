package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;

/** {@code struct xfrm_user_mapping}: the fixed part of MAPPING. Ports are in host order here. */
public record UserMapping(UsersaId state, int reqid, Address oldSaddr, Address newSaddr, int oldSport, int newSport) {
    public static final int BYTES = UsersaId.BYTES + 40;

    public static UserMapping read(ByteBuffer in) {
        UsersaId state = UsersaId.read(in);
        int reqid = in.getInt();
        Address oldSaddr = Structs.readAddress(in);
        Address newSaddr = Structs.readAddress(in);
        int oldSport = Structs.readPort(in);
        return new UserMapping(state, reqid, oldSaddr, newSaddr, oldSport, Structs.readPort(in));
    }

    public void write(ByteBuffer out) {
        state.write(out);
        out.putInt(reqid);
        Structs.writeAddress(out, oldSaddr);
        Structs.writeAddress(out, newSaddr);
        Structs.writePort(out, oldSport);
        Structs.writePort(out, newSport);
    }
}
