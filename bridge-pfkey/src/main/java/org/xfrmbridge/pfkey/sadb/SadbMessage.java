package org.xfrmbridge.pfkey.sadb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * {@code struct sadb_msg}, the header of every PF_KEY message (RFC 2367 section 2.1). Numbers are in native order.
 *
 * @param errno 0 in requests
 * @param lengthWords of the whole message, in units of 8 bytes
 * @param sequence the client's number, which answers repeat
 * @param pid the client's process id, which answers repeat
 */
public record SadbMessage(
        int version, int type, int errno, int satype, int lengthWords, int reserved, int sequence, int pid) {
    public static final int BYTES = 16;

    /** A message's length is a multiple of this. */
    public static final int WORD_BYTES = 8;

    /** {@code PF_KEY_V2}. */
    public static final int VERSION = 2;

    /** {@code SADB_MAX}: the highest type of message Linux knows. */
    public static final int MAX_TYPE = 24;

    /** Reads 16 bytes from the buffer's position on; the position stays. */
    public static SadbMessage read(ByteBuffer message) {
        ByteBuffer in = message.duplicate().order(ByteOrder.nativeOrder());
        int version = Byte.toUnsignedInt(in.get());
        int type = Byte.toUnsignedInt(in.get());
        int errno = Byte.toUnsignedInt(in.get());
        int satype = Byte.toUnsignedInt(in.get());
        int lengthWords = Short.toUnsignedInt(in.getShort());
        int reserved = Short.toUnsignedInt(in.getShort());
        int sequence = in.getInt();
        return new SadbMessage(version, type, errno, satype, lengthWords, reserved, sequence, in.getInt());
    }

    public byte[] toBytes() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
        out.put((byte) version).put((byte) type).put((byte) errno).put((byte) satype);
        out.putShort((short) lengthWords).putShort((short) reserved);
        return out.putInt(sequence).putInt(pid).array();
    }

    /** Whether it can head a message of {@code messageBytes} bytes ({@code pfkey_get_base_msg}). */
    public boolean fits(int messageBytes) {
        return version == VERSION
                && reserved == 0
                && type >= 1
                && type <= MAX_TYPE
                && lengthWords >= BYTES / WORD_BYTES
                && lengthWords == messageBytes / WORD_BYTES;
    }

    /** The header alone, with an error: how a kernel refuses. */
    public SadbMessage refusedWith(int errnoNumber) {
        return new SadbMessage(version, type, errnoNumber, satype, BYTES / WORD_BYTES, reserved, sequence, pid);
    }
}
