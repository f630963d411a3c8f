package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_kmprivate} and what a key manager puts behind it: Linux ignores it. */
public record SadbXKmprivate(byte[] content) implements SadbStruct {
    public static SadbXKmprivate read(ByteBuffer in) {
        in.getInt();
        byte[] content = new byte[in.remaining()];
        in.get(content);
        return new SadbXKmprivate(content);
    }

    @Override
    public int bytes() {
        return 4 + content.length;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(0).put(content);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SadbXKmprivate that && Arrays.equals(content, that.content);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(content);
    }
}
