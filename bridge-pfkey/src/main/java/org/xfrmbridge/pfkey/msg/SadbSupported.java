package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_supported}: algorithms of one kind, in an answer to REGISTER. */
public record SadbSupported(List<SadbAlg> algs) implements SadbStruct {
    /** {@code struct sadb_alg}. Bits of keys, bytes of initialization vectors. */
    public record SadbAlg(int id, int ivlen, int minbits, int maxbits) {
        static final int BYTES = 8;

        static SadbAlg read(ByteBuffer in) {
            int id = Byte.toUnsignedInt(in.get());
            int ivlen = Byte.toUnsignedInt(in.get());
            int minbits = Short.toUnsignedInt(in.getShort());
            int maxbits = Short.toUnsignedInt(in.getShort());
            in.getShort();
            return new SadbAlg(id, ivlen, minbits, maxbits);
        }

        void write(ByteBuffer out) {
            out.put((byte) id)
                    .put((byte) ivlen)
                    .putShort((short) minbits)
                    .putShort((short) maxbits)
                    .putShort((short) 0);
        }
    }

    public static SadbSupported read(ByteBuffer in) {
        in.getInt();
        List<SadbAlg> algs = new ArrayList<>();
        while (in.remaining() >= SadbAlg.BYTES) {
            algs.add(SadbAlg.read(in));
        }
        return new SadbSupported(algs);
    }

    @Override
    public int bytes() {
        return 4 + SadbAlg.BYTES * algs.size();
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(0);
        algs.forEach(alg -> alg.write(out));
    }
}
