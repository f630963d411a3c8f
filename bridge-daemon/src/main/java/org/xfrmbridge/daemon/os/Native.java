package org.xfrmbridge.daemon.os;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** The loaded C library, its errno, and memory that it can be given. Any thread. */
final class Native {
    static final Libc LIBC = LibraryLoader.create(Libc.class).load("c");
    static final Libc.Fast FAST = LibraryLoader.create(Libc.Fast.class).load("c");
    private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

    private Native() {}

    /** Passes a call's result on; -1 becomes the exception. */
    static int check(int result, String call, Object... arguments) throws OsException {
        if (result == -1) {
            throw failure(call, arguments);
        }
        return result;
    }

    static long check(long result, String call, Object... arguments) throws OsException {
        if (result == -1) {
            throw failure(call, arguments);
        }
        return result;
    }

    private static OsException failure(String call, Object... arguments) {
        int errno = errno();
        return new OsException(call.formatted(arguments), errno);
    }

    /** Of this thread's last call that failed. */
    static int errno() {
        return RUNTIME.getLastError();
    }

    /** A number where a call wants an address. */
    static Pointer pointer(long value) {
        return Pointer.wrap(RUNTIME, value);
    }

    /** Native memory seen from both sides. The buffer is in native byte order; both live as long as this does. */
    static final class Memory {
        final ByteBuffer buffer;
        final Pointer pointer;

        Memory(int bytes) {
            buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
            pointer = Pointer.wrap(RUNTIME, Pointer.wrap(RUNTIME, buffer).address());
        }

        /** Makes zeros of the first bytes: they may have been keys. */
        void wipe(int bytes) {
            MemorySegment.ofBuffer(buffer).asSlice(0, bytes).fill((byte) 0);
        }

        static Memory ofInt(int value) {
            Memory memory = new Memory(4);
            memory.buffer.putInt(0, value);
            return memory;
        }
    }
}
