package org.xfrmbridge.net;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Numbers in network byte order inside byte arrays, at any alignment. The offset is the caller's to bound. Any thread.
 */
public final class Bytes {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private Bytes() {}

    /** One byte, 0 to 255. */
    public static int u8(byte[] data, int offset) {
        return data[offset] & 0xff;
    }

    public static void putU8(byte[] data, int offset, int value) {
        data[offset] = (byte) value;
    }

    /** Two bytes, 0 to 65535. */
    public static int u16(byte[] data, int offset) {
        return (short) SHORT.get(data, offset) & 0xffff;
    }

    public static void putU16(byte[] data, int offset, int value) {
        SHORT.set(data, offset, (short) value);
    }

    public static int i32(byte[] data, int offset) {
        return (int) INT.get(data, offset);
    }

    public static void putI32(byte[] data, int offset, int value) {
        INT.set(data, offset, value);
    }

    public static long i64(byte[] data, int offset) {
        return (long) LONG.get(data, offset);
    }

    public static void putI64(byte[] data, int offset, long value) {
        LONG.set(data, offset, value);
    }
}
