package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_nat_t_port}. @param port in host order */
public record SadbXNatTPort(int port) implements SadbStruct {
    public static SadbXNatTPort read(ByteBuffer in) {
        return new SadbXNatTPort(Short.toUnsignedInt(BigEndian.of(in.getShort())));
    }

    @Override
    public int bytes() {
        return 4;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putShort(BigEndian.of((short) port)).putShort((short) 0);
    }
}
