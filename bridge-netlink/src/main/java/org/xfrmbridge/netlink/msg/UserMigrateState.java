package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Selector;

/** {@code struct xfrm_user_migrate_state} (Linux 7.2). */
public record UserMigrateState(
        UsersaId state,
        Address newDaddr,
        Address newSaddr,
        Mark oldMark,
        Selector newSelector,
        int newReqid,
        int flags,
        int newFamily,
        int reserved) {
    public static final int BYTES = 132;

    public static UserMigrateState read(ByteBuffer in) {
        return new UserMigrateState(
                UsersaId.read(in),
                Structs.readAddress(in),
                Structs.readAddress(in),
                Structs.readMark(in),
                Structs.readSelector(in),
                in.getInt(),
                in.getInt(),
                Short.toUnsignedInt(in.getShort()),
                Short.toUnsignedInt(in.getShort()));
    }

    public void write(ByteBuffer out) {
        state.write(out);
        Structs.writeAddress(out, newDaddr);
        Structs.writeAddress(out, newSaddr);
        Structs.writeMark(out, oldMark);
        Structs.writeSelector(out, newSelector);
        out.putInt(newReqid).putInt(flags).putShort((short) newFamily).putShort((short) reserved);
    }
}
