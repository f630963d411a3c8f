package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/**
 * {@code struct sadb_sa}.
 *
 * @param spi in host order
 * @param replay size of the window in packets
 * @param state one of the constants here
 * @param auth number of an authentication algorithm, 0 for none
 * @param encrypt of a cipher, or for IPComp of a compression, 0 for none
 */
public record SadbSa(int spi, int replay, int state, int auth, int encrypt, int flags) implements SadbStruct {
    public static final int LARVAL = 0;
    public static final int MATURE = 1;
    public static final int DYING = 2;
    public static final int DEAD = 3;

    public static final int FLAG_NOPMTUDISC = 0x2000_0000;
    public static final int FLAG_DECAP_DSCP = 0x4000_0000;
    public static final int FLAG_NOECN = 0x8000_0000;

    public static SadbSa read(ByteBuffer in) {
        int spi = BigEndian.of(in.getInt());
        int replay = Byte.toUnsignedInt(in.get());
        int state = Byte.toUnsignedInt(in.get());
        int auth = Byte.toUnsignedInt(in.get());
        int encrypt = Byte.toUnsignedInt(in.get());
        return new SadbSa(spi, replay, state, auth, encrypt, in.getInt());
    }

    @Override
    public int bytes() {
        return 12;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(BigEndian.of(spi))
                .put((byte) replay)
                .put((byte) state)
                .put((byte) auth)
                .put((byte) encrypt)
                .putInt(flags);
    }
}
