package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;

/** A PF_KEY message in the making: whole at first, then perhaps spoiled. */
final class PfkeyDraft {
    /** What stands behind an extension's header; {@code extraWords} is how far its length is wrong. */
    record Extension(int number, byte[] body, int extraWords) {}

    int version = SadbMsg.VERSION;
    int type;
    int errno;
    int satype;
    int reserved;
    int sequence;
    int pid;
    int extraWords;
    final List<Extension> extensions = new ArrayList<>();
    /** Bytes behind the extensions that are none. */
    byte[] tail = {};

    PfkeyDraft(int type, int satype) {
        this.type = type;
        this.satype = satype;
    }

    PfkeyDraft with(SadbExt extension, byte[] body) {
        extensions.add(new Extension(extension.number(), body, 0));
        return this;
    }

    byte[] toBytes() {
        int bytes = SadbMsg.BYTES
                + tail.length
                + extensions.stream()
                        .mapToInt(extension -> bytes(extension.body))
                        .sum();
        return Draft.struct(bytes, this::write);
    }

    private void write(ByteBuffer out) {
        out.put((byte) version).put((byte) type).put((byte) errno).put((byte) satype);
        out.putShort((short) (out.capacity() / SadbMsg.WORD_BYTES + extraWords))
                .putShort((short) reserved)
                .putInt(sequence)
                .putInt(pid);
        for (Extension extension : extensions) {
            int end = out.position() + bytes(extension.body);
            out.putShort((short) (bytes(extension.body) / SadbMsg.WORD_BYTES + extension.extraWords))
                    .putShort((short) extension.number);
            out.put(extension.body).position(end);
        }
        out.put(tail);
    }

    private static int bytes(byte[] body) {
        return (SadbExt.HEADER_BYTES + body.length + SadbMsg.WORD_BYTES - 1) & -SadbMsg.WORD_BYTES;
    }

    /** The body of an extension; {@code bytes} without its header. */
    static byte[] body(int bytes, Consumer<ByteBuffer> writer) {
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        writer.accept(out);
        return out.array();
    }
}
