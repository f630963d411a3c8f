package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_prop} and its combinations: what an ACQUIRE proposes. */
public record SadbProp(int replay, List<SadbComb> combs) implements SadbStruct {
    /** {@code struct sadb_comb}, of which Linux always gives the same lifetimes, in seconds. */
    public record SadbComb(
            int auth,
            int encrypt,
            int authMinbits,
            int authMaxbits,
            int encryptMinbits,
            int encryptMaxbits,
            Times times) {
        static final int BYTES = 72;

        static SadbComb read(ByteBuffer in) {
            int auth = Byte.toUnsignedInt(in.get());
            int encrypt = Byte.toUnsignedInt(in.get());
            in.getShort();
            int authMinbits = Short.toUnsignedInt(in.getShort());
            int authMaxbits = Short.toUnsignedInt(in.getShort());
            int encryptMinbits = Short.toUnsignedInt(in.getShort());
            int encryptMaxbits = Short.toUnsignedInt(in.getShort());
            in.position(in.position() + 28);
            Times times = new Times(in.getLong(), in.getLong(), in.getLong(), in.getLong());
            return new SadbComb(auth, encrypt, authMinbits, authMaxbits, encryptMinbits, encryptMaxbits, times);
        }

        void write(ByteBuffer out) {
            out.put((byte) auth).put((byte) encrypt).putShort((short) 0);
            out.putShort((short) authMinbits).putShort((short) authMaxbits);
            out.putShort((short) encryptMinbits).putShort((short) encryptMaxbits);
            out.putInt(0).putInt(0).putInt(0).putLong(0).putLong(0);
            out.putLong(times.softAdd)
                    .putLong(times.hardAdd)
                    .putLong(times.softUse)
                    .putLong(times.hardUse);
        }
    }

    /** Lifetimes of a combination, in seconds. */
    public record Times(long softAdd, long hardAdd, long softUse, long hardUse) {}

    public static SadbProp read(ByteBuffer in) {
        int replay = Byte.toUnsignedInt(in.get());
        in.position(in.position() + 3);
        List<SadbComb> combs = new ArrayList<>();
        while (in.remaining() >= SadbComb.BYTES) {
            combs.add(SadbComb.read(in));
        }
        return new SadbProp(replay, combs);
    }

    @Override
    public int bytes() {
        return 4 + SadbComb.BYTES * combs.size();
    }

    @Override
    public void write(ByteBuffer out) {
        out.put((byte) replay).put((byte) 0).putShort((short) 0);
        combs.forEach(comb -> comb.write(out));
    }
}
