package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_sec_ctx} and the label: without a security module, Linux checks its length and ignores it. */
public record SadbXSecCtx(int alg, int doi, byte[] label) implements SadbStruct {
    public static SadbXSecCtx read(ByteBuffer in) {
        int alg = Byte.toUnsignedInt(in.get());
        int doi = Byte.toUnsignedInt(in.get());
        byte[] label = new byte[Short.toUnsignedInt(in.getShort())];
        in.get(label);
        return new SadbXSecCtx(alg, doi, label);
    }

    @Override
    public int bytes() {
        return 4 + label.length;
    }

    @Override
    public void write(ByteBuffer out) {
        out.put((byte) alg).put((byte) doi).putShort((short) label.length).put(label);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SadbXSecCtx that
                && alg == that.alg
                && doi == that.doi
                && Arrays.equals(label, that.label);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(label);
    }
}
