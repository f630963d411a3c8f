package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Migration.KeyManagerAddresses;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.xfrm.Address;

/**
 * {@code struct xfrm_user_migrate}, of which XFRMA_MIGRATE holds one or more, and {@code struct xfrm_user_kmaddress}.
 */
public final class UserMigrate {
    public static final int BYTES = 76;
    public static final int KM_ADDRESS_BYTES = 40;

    private UserMigrate() {}

    public static Move read(ByteBuffer in) {
        Address oldDaddr = Structs.readAddress(in);
        Address oldSaddr = Structs.readAddress(in);
        Address newDaddr = Structs.readAddress(in);
        Address newSaddr = Structs.readAddress(in);
        int protocol = Byte.toUnsignedInt(in.get());
        int mode = Structs.readByteAndSkip(in, 2);
        int reqid = in.getInt();
        int oldFamily = Short.toUnsignedInt(in.getShort());
        return new Move(
                oldDaddr,
                oldSaddr,
                newDaddr,
                newSaddr,
                protocol,
                mode,
                reqid,
                oldFamily,
                Short.toUnsignedInt(in.getShort()));
    }

    public static void write(ByteBuffer out, Move move) {
        Structs.writeAddress(out, move.oldDaddr());
        Structs.writeAddress(out, move.oldSaddr());
        Structs.writeAddress(out, move.newDaddr());
        Structs.writeAddress(out, move.newSaddr());
        out.put((byte) move.protocol());
        Structs.writeByteAndPad(out, move.mode(), 2);
        out.putInt(move.reqid()).putShort((short) move.oldFamily()).putShort((short) move.newFamily());
    }

    public static KeyManagerAddresses readKmAddress(ByteBuffer in) {
        Address local = Structs.readAddress(in);
        Address remote = Structs.readAddress(in);
        int reserved = in.getInt();
        return new KeyManagerAddresses(local, remote, reserved, Short.toUnsignedInt(in.getShort()));
    }

    public static void writeKmAddress(ByteBuffer out, KeyManagerAddresses addresses) {
        Structs.writeAddress(out, addresses.local());
        Structs.writeAddress(out, addresses.remote());
        out.putInt(addresses.reserved()).putShort((short) addresses.family()).putShort((short) 0);
    }
}
