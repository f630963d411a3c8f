package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.xfrmbridge.pfkey.sadb.SadbMsg;

/** PF_KEY messages as lines of text: header and extensions, every byte of them but the volatile ones. */
final class PfkeyText {
    private static final int EXTENSION_HEADER_BYTES = 4;
    private static final HexFormat HEX = HexFormat.of();

    /** One extension, its header included; the last one of a malformed message is what is left of it. */
    record Extension(int number, byte[] bytes) {
        /** Whether it is as long as it says, and no shorter than those that say something. */
        boolean isWhole() {
            return bytes.length >= 2 * SadbMsg.WORD_BYTES && declaredBytes() == bytes.length;
        }

        int declaredBytes() {
            return Short.toUnsignedInt(view().getShort(0)) * SadbMsg.WORD_BYTES;
        }

        ByteBuffer view() {
            return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        }
    }

    private PfkeyText() {}

    /** A message, or the errno of the call that sent one. */
    static String render(byte[] message) {
        if (message.length == Integer.BYTES) {
            return "the call fails with errno "
                    + ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).getInt();
        }
        if (message.length < SadbMsg.BYTES) {
            return HEX.formatHex(message);
        }
        SadbMsg header = SadbMsg.read(ByteBuffer.wrap(message));
        StringBuilder text =
                new StringBuilder("version %d type %d errno %d satype %d words %d reserved %d seq %d pid %d"
                        .formatted(
                                header.version(),
                                header.type(),
                                header.errno(),
                                header.satype(),
                                header.lengthWords(),
                                header.reserved(),
                                PfkeyVolatileField.sequence(header),
                                header.pid()));
        for (Extension extension : extensions(message)) {
            PfkeyVolatileField.maskAll(extension);
            text.append(" [").append(extension.number).append(' ');
            text.append(HEX.formatHex(
                    extension.bytes, EXTENSION_HEADER_BYTES, Math.max(EXTENSION_HEADER_BYTES, extension.bytes.length)));
            text.append(']');
        }
        return text.toString();
    }

    /** Copies of what stands behind the header. */
    static List<Extension> extensions(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message)
                .order(ByteOrder.nativeOrder())
                .position(Math.min(SadbMsg.BYTES, message.length));
        List<Extension> found = new ArrayList<>();
        while (in.remaining() >= EXTENSION_HEADER_BYTES) {
            int wanted = Short.toUnsignedInt(in.getShort(in.position())) * SadbMsg.WORD_BYTES;
            int number = Short.toUnsignedInt(in.getShort(in.position() + 2));
            byte[] bytes = new byte[wanted == 0 ? in.remaining() : Math.min(wanted, in.remaining())];
            in.get(bytes);
            found.add(new Extension(number, bytes));
        }
        return found;
    }
}
