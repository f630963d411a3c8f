package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/**
 * {@code struct sadb_sens} and its bitmaps: Linux ignores it. @param bitmaps of sensitivity, then of integrity, as they
 * came
 */
public record SadbSens(int dpd, int sensLevel, int sensLen, int integLevel, int integLen, byte[] bitmaps)
        implements SadbStruct {
    public static SadbSens read(ByteBuffer in) {
        int dpd = in.getInt();
        int sensLevel = Byte.toUnsignedInt(in.get());
        int sensLen = Byte.toUnsignedInt(in.get());
        int integLevel = Byte.toUnsignedInt(in.get());
        int integLen = Byte.toUnsignedInt(in.get());
        in.getInt();
        byte[] bitmaps = new byte[in.remaining()];
        in.get(bitmaps);
        return new SadbSens(dpd, sensLevel, sensLen, integLevel, integLen, bitmaps);
    }

    @Override
    public int bytes() {
        return 12 + bitmaps.length;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(dpd)
                .put((byte) sensLevel)
                .put((byte) sensLen)
                .put((byte) integLevel)
                .put((byte) integLen);
        out.putInt(0).put(bitmaps);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SadbSens that
                && dpd == that.dpd
                && sensLevel == that.sensLevel
                && sensLen == that.sensLen
                && integLevel == that.integLevel
                && integLen == that.integLen
                && Arrays.equals(bitmaps, that.bitmaps);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bitmaps);
    }
}
