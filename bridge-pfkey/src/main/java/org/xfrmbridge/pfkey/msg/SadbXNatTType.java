package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_nat_t_type}. @param type {@code UDP_ENCAP_*}, 2 is ESP in UDP */
public record SadbXNatTType(int type) implements SadbStruct {
    public static SadbXNatTType read(ByteBuffer in) {
        return new SadbXNatTType(Byte.toUnsignedInt(in.get()));
    }

    @Override
    public int bytes() {
        return 4;
    }

    @Override
    public void write(ByteBuffer out) {
        out.put((byte) type).put((byte) 0).putShort((short) 0);
    }
}
