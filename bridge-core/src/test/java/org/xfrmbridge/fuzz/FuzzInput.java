package org.xfrmbridge.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * The bytes of a fuzzer as a list of steps: each is an operation, a length of two bytes (high byte first) and so many
 * bytes. A length that goes beyond the end is cut there, so that any bytes are an input.
 */
public final class FuzzInput {
    private final byte[] bytes;
    private int at;
    private int operation;

    public FuzzInput(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Goes to the next step; false after the last. */
    public boolean next() {
        if (at >= bytes.length) {
            return false;
        }
        operation = Byte.toUnsignedInt(bytes[at++]);
        return true;
    }

    /** What is to be done, 0 to 255. */
    public int operation() {
        return operation;
    }

    /** Reads the bytes of the step; a step whose bytes are not read has none. */
    public byte[] block() {
        int wanted = byteAt(at) << 8 | byteAt(at + 1);
        int start = Math.min(at + 2, bytes.length);
        at = Math.min(start + wanted, bytes.length);
        return Arrays.copyOfRange(bytes, start, at);
    }

    /** Reads one byte instead, 0 behind the end. */
    public int number() {
        return byteAt(at++);
    }

    /** Reads all that is left. */
    public byte[] rest() {
        int start = Math.min(at, bytes.length);
        at = bytes.length;
        return Arrays.copyOfRange(bytes, start, at);
    }

    private int byteAt(int index) {
        return index < bytes.length ? Byte.toUnsignedInt(bytes[index]) : 0;
    }

    /** Writes inputs, for seeds. */
    public static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        public Writer block(int operation, byte[] bytes) {
            out.write(operation);
            out.write(bytes.length >> 8);
            out.write(bytes.length);
            out.writeBytes(bytes);
            return this;
        }

        public Writer number(int operation, int value) {
            out.write(operation);
            out.write(value);
            return this;
        }

        public byte[] toBytes() {
            return out.toByteArray();
        }
    }
}
