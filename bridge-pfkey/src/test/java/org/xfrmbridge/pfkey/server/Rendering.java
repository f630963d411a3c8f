package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbSupported;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;

/**
 * Messages as text for comparing: a line for the header and one for each extension, byte for byte, without what two
 * runs cannot share.
 *
 * <ul>
 *   <li>When something was added or used first: only whether it was.
 *   <li>A Spi that was drawn at random, above all that the requests name.
 *   <li>SM3 and SM4 among supported algorithms, for which the recorded kernel had no modules.
 *   <li>Security labels, which the recorded kernel's SELinux keeps and shows.
 *   <li>The lengths of messages that have one of these two.
 * </ul>
 */
final class Rendering {
    private static final int GREATEST_NAMED_SPI = 0xffff;
    private static final int SM3 = 10;
    private static final int SM4 = 24;

    private Rendering() {}

    static String render(List<byte[]> messages) {
        StringBuilder text = new StringBuilder();
        messages.forEach(message -> text.append(render(message)));
        return text.toString();
    }

    private static String render(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
        List<String> lines = new ArrayList<>();
        boolean wellFormed = message.length >= SadbMsg.BYTES
                && SadbMsg.read(in).lengthWords() * SadbMsg.WORD_BYTES == message.length;
        boolean varying = false;
        int labelWords = 0;
        for (int at = SadbMsg.BYTES; at < message.length; ) {
            int bytes = Short.toUnsignedInt(in.getShort(at)) * SadbMsg.WORD_BYTES;
            if (bytes == 0 || bytes > message.length - at) {
                wellFormed = false;
                break;
            }
            int number = Short.toUnsignedInt(in.getShort(at + 2));
            ByteBuffer body = in.slice(at + SadbExt.HEADER_BYTES, bytes - SadbExt.HEADER_BYTES)
                    .order(ByteOrder.nativeOrder());
            varying |= number == SadbExt.SUPPORTED_AUTH.number();
            if (number == SadbExt.X_SEC_CTX.number()) {
                labelWords += bytes / SadbMsg.WORD_BYTES;
            } else {
                lines.add("  " + number + " " + render(number, body));
            }
            at += bytes;
        }
        if (!wellFormed) {
            return "malformed " + HexFormat.of().formatHex(message) + "\n";
        }
        SadbMsg header = SadbMsg.read(in);
        return (varying ? header.answeredWith(header.errno()) : shortened(header, labelWords)) + "\n"
                + String.join("\n", lines) + "\n";
    }

    private static SadbMsg shortened(SadbMsg h, int words) {
        return new SadbMsg(
                h.version(),
                h.type(),
                h.errno(),
                h.satype(),
                h.lengthWords() - words,
                h.reserved(),
                h.sequence(),
                h.pid());
    }

    private static String render(int number, ByteBuffer body) {
        if (number == SadbExt.LIFETIME_CURRENT.number() && body.remaining() == 28) {
            mask(body, 12);
            mask(body, 20);
        }
        if (number == SadbExt.SA.number() && body.remaining() == 12) {
            int spi = SadbSa.read(body.duplicate().order(body.order())).spi();
            if (Integer.compareUnsigned(spi, GREATEST_NAMED_SPI) > 0) {
                body.putInt(0, -1);
            }
        }
        if (number == SadbExt.SUPPORTED_AUTH.number() || number == SadbExt.SUPPORTED_ENCRYPT.number()) {
            return SadbSupported.read(body).algs().stream()
                    .filter(alg -> alg.id() != SM3 && alg.id() != SM4)
                    .toList()
                    .toString();
        }
        byte[] bytes = new byte[body.remaining()];
        body.get(0, bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static void mask(ByteBuffer body, int at) {
        body.putLong(at, body.getLong(at) == 0 ? 0 : 1);
    }
}
