package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_ident} and the identity, padded: between key managers, Linux ignores it. */
public record SadbIdent(int type, long id, byte[] identity) implements SadbStruct {
    public static SadbIdent read(ByteBuffer in) {
        int type = Short.toUnsignedInt(in.getShort());
        in.getShort();
        long id = in.getLong();
        byte[] identity = new byte[in.remaining()];
        in.get(identity);
        return new SadbIdent(type, id, identity);
    }

    @Override
    public int bytes() {
        return 12 + identity.length;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putShort((short) type).putShort((short) 0).putLong(id).put(identity);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SadbIdent that
                && type == that.type
                && id == that.id
                && Arrays.equals(identity, that.identity);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(identity);
    }
}
