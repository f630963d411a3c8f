package org.xfrmbridge.pfkey.sadb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Puts a message together: header, then extensions, each padded with zeroes to whole words. */
public final class SadbWriter {
    private static final int USUAL_BYTES = 512;
    private static final int LENGTH_AT = 4;

    private ByteBuffer out = ByteBuffer.allocate(USUAL_BYTES).order(ByteOrder.nativeOrder());

    /** @param header its length does not count: it is that of what will be written */
    public SadbWriter(SadbMsg header) {
        header.write(out);
    }

    public SadbWriter put(SadbExt extension, SadbStruct struct) {
        int bytes = align(SadbExt.HEADER_BYTES + struct.bytes());
        reserve(bytes);
        int end = out.position() + bytes;
        out.putShort((short) (bytes / SadbMsg.WORD_BYTES)).putShort((short) extension.number());
        struct.write(out);
        out.position(end);
        return this;
    }

    /** Ends it: the message, which is the caller's, and of which nothing stays here. */
    public byte[] toBytes() {
        out.putShort(LENGTH_AT, (short) (out.position() / SadbMsg.WORD_BYTES));
        byte[] message = Arrays.copyOf(out.array(), out.position());
        Arrays.fill(out.array(), (byte) 0);
        return message;
    }

    static int align(int bytes) {
        return (bytes + SadbMsg.WORD_BYTES - 1) & -SadbMsg.WORD_BYTES;
    }

    private void reserve(int bytes) {
        if (out.remaining() < bytes) {
            ByteBuffer larger = ByteBuffer.allocate(2 * out.capacity() + bytes).order(ByteOrder.nativeOrder());
            larger.put(out.flip());
            Arrays.fill(out.array(), (byte) 0);
            out = larger;
        }
    }
}
