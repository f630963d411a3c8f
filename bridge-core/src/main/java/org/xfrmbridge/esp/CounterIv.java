package org.xfrmbridge.esp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * 8-byte IVs for counter modes, which must be unique and need not be secret: a private counter XOR a random salt, the
 * kernel's {@code seqiv}. The counter is not the sequence number, so it goes on where that one wraps (OSEQ_MAY_WRAP);
 * the salt keeps two lives of one manually set key apart.
 */
final class CounterIv implements IvSource {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private long counter;
    private long salt;

    @Override
    public void next(byte[] data, int offset) {
        if (counter == 0) {
            salt = RANDOM.nextLong();
        }
        LONG.set(data, offset, ++counter ^ salt);
    }
}
