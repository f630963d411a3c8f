package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_spirange}: both inclusive, in native order, unlike a Spi. */
public record SadbSpirange(int min, int max) implements SadbStruct {
    public static SadbSpirange read(ByteBuffer in) {
        int min = in.getInt();
        return new SadbSpirange(min, in.getInt());
    }

    @Override
    public int bytes() {
        return 12;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(min).putInt(max).putInt(0);
    }
}
