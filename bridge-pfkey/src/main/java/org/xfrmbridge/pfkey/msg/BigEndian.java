package org.xfrmbridge.pfkey.msg;

import java.nio.ByteOrder;

/** Numbers in network order within buffers in native order: converts either way. */
final class BigEndian {
    private static final boolean NATIVE = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;

    private BigEndian() {}

    static short of(short value) {
        return NATIVE ? value : Short.reverseBytes(value);
    }

    static int of(int value) {
        return NATIVE ? value : Integer.reverseBytes(value);
    }

    static long of(long value) {
        return NATIVE ? value : Long.reverseBytes(value);
    }
}
