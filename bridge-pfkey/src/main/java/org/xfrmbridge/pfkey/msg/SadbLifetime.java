package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_lifetime}: limits, 0 for none, or counters. Unsigned. @param allocations packets, on Linux */
public record SadbLifetime(int allocations, long bytesLimit, long addtime, long usetime) implements SadbStruct {
    public static SadbLifetime read(ByteBuffer in) {
        int allocations = in.getInt();
        long bytesLimit = in.getLong();
        long addtime = in.getLong();
        return new SadbLifetime(allocations, bytesLimit, addtime, in.getLong());
    }

    @Override
    public int bytes() {
        return 28;
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(allocations).putLong(bytesLimit).putLong(addtime).putLong(usetime);
    }
}
