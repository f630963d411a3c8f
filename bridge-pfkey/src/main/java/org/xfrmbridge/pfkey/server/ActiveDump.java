package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.sadb.SadbMsg;

/**
 * A dump under way, {@code pfkey_do_dump}: a message for each entry, numbered from 1 on, of which the last has number
 * 0. Of nothing, the answer is ENOENT. An entry that PF_KEY has no words for ends it, as in a kernel: the entry before
 * has the error, and it is the answer.
 */
final class ActiveDump<T> {
    private static final int ERRNO_AT = 2;
    private static final int SEQUENCE_AT = 8;

    interface Encoder<T> {
        byte[] encode(T entry, int sequence) throws XfrmException;
    }

    private final Dump<T> entries;
    private final SadbMsg request;
    private final Encoder<T> encoder;
    private int count;
    /** Whether it is the last one only the next one tells. */
    private byte[] held;

    private boolean begun;
    private Errno ending;

    ActiveDump(Dump<T> entries, SadbMsg request, Encoder<T> encoder) {
        this.entries = entries;
        this.request = request;
        this.encoder = encoder;
    }

    /** The next message; null after the last. */
    byte[] next() {
        if (!begun) {
            begun = true;
            held = encodeNext();
            ending = held == null && ending == null ? Errno.ENOENT : ending;
        }
        if (held == null) {
            return refusal();
        }
        byte[] message = held;
        held = encodeNext();
        if (held == null) {
            ByteBuffer last =
                    ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(SEQUENCE_AT, 0);
            last.put(ERRNO_AT, (byte) (ending == null ? 0 : -ending.number()));
        }
        return message;
    }

    /** Nobody asks for more. What was made for the next message may hold keys. */
    void end() {
        if (held != null) {
            Arrays.fill(held, (byte) 0);
        }
    }

    private byte[] refusal() {
        if (ending == null) {
            return null;
        }
        byte[] refusal = request.answeredWith(ending.number()).toBytes();
        ending = null;
        return refusal;
    }

    private byte[] encodeNext() {
        T entry = ending == null ? entries.next() : null;
        try {
            return entry == null ? null : encoder.encode(entry, ++count);
        } catch (XfrmException e) {
            ending = e.errno();
            return null;
        }
    }
}
