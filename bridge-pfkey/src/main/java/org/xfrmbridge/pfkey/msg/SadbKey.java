package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/**
 * {@code struct sadb_key} and the key, which {@link #toString} does not show. @param key {@code ceil(bits / 8)} bytes,
 * the reader's own
 */
public record SadbKey(int bits, byte[] key) implements SadbStruct {
    public static SadbKey read(ByteBuffer in) {
        int bits = Short.toUnsignedInt(in.getShort());
        in.getShort();
        byte[] key = new byte[Math.ceilDiv(bits, Byte.SIZE)];
        in.get(key);
        return new SadbKey(bits, key);
    }

    /** Only the length. */
    public static int bits(ByteBuffer in) {
        return Short.toUnsignedInt(in.getShort(in.position()));
    }

    @Override
    public int bytes() {
        return 4 + key.length;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putShort((short) bits).putShort((short) 0).put(key);
    }

    @Override
    public String toString() {
        return "key of " + bits + " bits";
    }

    /** In constant time. */
    @Override
    public boolean equals(Object other) {
        return other instanceof SadbKey that && bits == that.bits && MessageDigest.isEqual(key, that.key);
    }

    @Override
    public int hashCode() {
        return bits;
    }
}
