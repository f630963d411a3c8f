package org.xfrmbridge.pfkey.sadb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.km.Errno;

/**
 * {@code struct sadb_msg}, the header of every PF_KEY message (RFC 2367 section 2.1). Numbers are in native order.
 *
 * @param type one of {@link SadbType}
 * @param errno 0 in requests, but for ACQUIRE
 * @param lengthWords of the whole message, in units of 8 bytes
 * @param sequence the client's number, which answers repeat
 * @param pid the client's process id, which answers repeat
 */
public record SadbMsg(
        int version, int type, int errno, int satype, int lengthWords, int reserved, int sequence, int pid) {
    public static final int BYTES = 16;

    /** A message's length is a multiple of this, and so is every extension's. */
    public static final int WORD_BYTES = 8;

    /** {@code PF_KEY_V2}. */
    public static final int VERSION = 2;

    /** Of a message that is to be sent: {@link SadbWriter} sets the length. */
    public SadbMsg(int type, int satype, int sequence, int pid) {
        this(VERSION, type, 0, satype, 0, 0, sequence, pid);
    }

    /** Reads 16 bytes from the buffer's position on; the position stays. */
    public static SadbMsg read(ByteBuffer message) {
        ByteBuffer in = message.duplicate().order(ByteOrder.nativeOrder());
        int version = Byte.toUnsignedInt(in.get());
        int type = Byte.toUnsignedInt(in.get());
        int errno = Byte.toUnsignedInt(in.get());
        int satype = Byte.toUnsignedInt(in.get());
        int lengthWords = Short.toUnsignedInt(in.getShort());
        int reserved = Short.toUnsignedInt(in.getShort());
        int sequence = in.getInt();
        return new SadbMsg(version, type, errno, satype, lengthWords, reserved, sequence, in.getInt());
    }

    /** Writes 16 bytes to a buffer in native order. */
    void write(ByteBuffer out) {
        out.put((byte) version).put((byte) type).put((byte) errno).put((byte) satype);
        out.putShort((short) lengthWords).putShort((short) reserved);
        out.putInt(sequence).putInt(pid);
    }

    /** The header as a message by itself. */
    public byte[] toBytes() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
        write(out);
        return out.array();
    }

    /** Why it cannot head a message of {@code messageBytes} bytes, null if it can ({@code pfkey_get_base_msg}). */
    public Errno fault(int messageBytes) {
        if (version != VERSION || reserved != 0 || type < SadbType.GETSPI || type > SadbType.MAX) {
            return Errno.EINVAL;
        }
        boolean fits = lengthWords >= BYTES / WORD_BYTES && lengthWords == messageBytes / WORD_BYTES;
        return fits ? null : Errno.EMSGSIZE;
    }

    public boolean isAlone() {
        return lengthWords == BYTES / WORD_BYTES;
    }

    /**
     * The header alone, with an error, 0 for none: how a kernel refuses, and how it acknowledges what has no other
     * answer.
     */
    public SadbMsg answeredWith(int errnoNumber) {
        return new SadbMsg(version, type, errnoNumber, satype, BYTES / WORD_BYTES, reserved, sequence, pid);
    }
}
