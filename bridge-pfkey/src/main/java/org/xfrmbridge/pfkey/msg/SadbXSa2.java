package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_sa2}. @param mode {@code IPSEC_MODE_*} */
public record SadbXSa2(int mode, int sequence, int reqid) implements SadbStruct {
    public static SadbXSa2 read(ByteBuffer in) {
        int mode = Byte.toUnsignedInt(in.get());
        in.get();
        in.getShort();
        int sequence = in.getInt();
        return new SadbXSa2(mode, sequence, in.getInt());
    }

    @Override
    public int bytes() {
        return 12;
    }

    @Override
    public void write(ByteBuffer out) {
        out.put((byte) mode).put((byte) 0).putShort((short) 0).putInt(sequence).putInt(reqid);
    }
}
