package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.StateId;

/** {@code struct xfrm_usersa_id}: the fixed part of GETSA and DELSA. */
public record UsersaId(StateId id, int family) {
    public static final int BYTES = 24;

    public static UsersaId read(ByteBuffer in) {
        Address daddr = Structs.readAddress(in);
        int spi = Structs.bigEndian(in.getInt());
        int family = Short.toUnsignedInt(in.getShort());
        return new UsersaId(new StateId(daddr, spi, Structs.readByteAndSkip(in, 1)), family);
    }

    public void write(ByteBuffer out) {
        Structs.writeAddress(out, id.daddr());
        out.putInt(Structs.bigEndian(id.spi()));
        out.putShort((short) family);
        Structs.writeByteAndPad(out, id.protocol(), 1);
    }
}
