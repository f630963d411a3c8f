package org.xfrmbridge.daemon.os;

import com.kenai.jffi.LastError;
import com.kenai.jffi.MemoryIO;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;

/** The loaded C library, its errno, and memory that it can be given. Any thread. */
final class Native {
    static final Libc LIBC = new Libc();
    static final Libc.Fast FAST = new Libc.Fast();

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
        return LastError.getInstance().get();
    }

    /** Native memory seen from both sides. The buffer is in native byte order; both live as long as this does. */
    static final class Memory {
        /** From here on the C library asks the kernel for pages of its own. */
        private static final int LARGE_BYTES = 1 << 17;

        private static final Cleaner CLEANER = Cleaner.create();

        final ByteBuffer buffer;
        final long pointer;

        Memory(int bytes) {
            buffer = (bytes < LARGE_BYTES ? ByteBuffer.allocateDirect(bytes) : untouched(bytes))
                    .order(ByteOrder.nativeOrder());
            pointer = MemorySegment.ofBuffer(buffer).address();
        }

        /**
         * Of which the process has only the pages that are used, as the JVM does not fill it with zeros: buffers for
         * the longest messages there may be.
         */
        private static ByteBuffer untouched(int bytes) {
            MemoryIO memory = MemoryIO.getInstance();
            long address = memory.allocateMemory(bytes, false);
            if (address == 0) {
                throw new OutOfMemoryError(bytes + " bytes of native memory");
            }
            ByteBuffer buffer = memory.newDirectByteBuffer(address, bytes);
            CLEANER.register(buffer, () -> memory.freeMemory(address));
            return buffer;
        }

        /** Seen from this side: what somebody else has mapped, and unmaps when nobody looks any more. */
        static ByteBuffer mapped(long address, int bytes) {
            return MemoryIO.getInstance().newDirectByteBuffer(address, bytes).order(ByteOrder.nativeOrder());
        }

        /** Makes zeros of the first bytes: they may have been keys. */
        void wipe(int bytes) {
            MemorySegment.ofBuffer(buffer).asSlice(0, bytes).fill((byte) 0);
        }

        /** As C has strings. */
        static Memory ofString(String text) {
            byte[] bytes = text.getBytes(Charset.defaultCharset());
            Memory memory = new Memory(bytes.length + 1);
            memory.buffer.put(0, bytes);
            return memory;
        }

        static Memory ofInt(int value) {
            Memory memory = new Memory(4);
            memory.buffer.putInt(0, value);
            return memory;
        }
    }
}
