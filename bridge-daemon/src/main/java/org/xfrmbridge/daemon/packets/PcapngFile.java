package org.xfrmbridge.daemon.packets;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A file that Wireshark opens, of two interfaces: {@link #OUTER}, what is on the wire, and {@link #INNER}, the same in
 * the clear (draft-ietf-opsawg-pcapng). Times in microseconds. No library that writes this is alive; it is four blocks.
 */
public final class PcapngFile implements AutoCloseable {
    /** Numbers of the interfaces. */
    public static final int OUTER = 0;

    public static final int INNER = 1;

    private static final int SECTION = 0x0a0d0d0a;
    private static final int INTERFACE = 1;
    private static final int PACKET = 6;
    private static final int BYTE_ORDER = 0x1a2b3c4d;
    private static final int ETHERNET = 1;
    private static final int OPTION_COMMENT = 1;
    private static final int OPTION_NAME = 2;
    private static final int BLOCK_OVERHEAD_BYTES = 12;

    private final OutputStream out;

    public PcapngFile(OutputStream out) throws IOException {
        this.out = out;
        ByteBuffer section = body(16);
        section.putInt(BYTE_ORDER).putShort((short) 1).putShort((short) 0).putLong(-1);
        write(SECTION, section);
        for (String name : new String[] {"outer", "inner"}) {
            byte[] text = name.getBytes(StandardCharsets.UTF_8);
            ByteBuffer described = body(8 + optionBytes(text) + 4);
            described.putShort((short) ETHERNET).putShort((short) 0).putInt(0);
            putOption(described, OPTION_NAME, text);
            described.putInt(0);
            write(INTERFACE, described);
        }
    }

    /** @param comment for people; null for none */
    public void add(int interfaceNumber, long epochMicros, byte[] frame, String comment) throws IOException {
        byte[] text = comment == null ? new byte[0] : comment.getBytes(StandardCharsets.UTF_8);
        ByteBuffer packet = body(20 + padded(frame.length) + optionBytes(text) + 4);
        packet.putInt(interfaceNumber)
                .putInt((int) (epochMicros >>> 32))
                .putInt((int) epochMicros)
                .putInt(frame.length)
                .putInt(frame.length)
                .put(frame)
                .position(20 + padded(frame.length));
        putOption(packet, OPTION_COMMENT, text);
        packet.putInt(0);
        write(PACKET, packet);
    }

    private static ByteBuffer body(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int padded(int bytes) {
        return bytes + 3 & ~3;
    }

    private static int optionBytes(byte[] text) {
        return 4 + padded(text.length);
    }

    private static void putOption(ByteBuffer to, int code, byte[] text) {
        int at = to.position();
        to.putShort((short) code).putShort((short) text.length).put(text).position(at + optionBytes(text));
    }

    private void write(int type, ByteBuffer body) throws IOException {
        int bytes = body.capacity() + BLOCK_OVERHEAD_BYTES;
        ByteBuffer block = body(bytes);
        block.putInt(type).putInt(bytes).put(body.array()).putInt(bytes);
        out.write(block.array());
    }

    public void flush() throws IOException {
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
