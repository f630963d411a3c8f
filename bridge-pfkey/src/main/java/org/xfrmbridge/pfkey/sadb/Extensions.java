package org.xfrmbridge.pfkey.sadb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The extensions of a request, in any order, checked as {@code parse_exthdrs} does: whole, long enough, each at most
 * once; addresses, keys and labels as long as they say; nothing more is done with a label, as in a kernel without a
 * security module. Numbers above the last one known are skipped. What was parsed is a view of the message.
 */
public final class Extensions {
    private static final int ADDRESS_BYTES = 8;
    private static final int KEY_BYTES = 8;
    private static final int LABEL_BYTES = 8;

    /** A page: no label may be longer. */
    private static final int LONGEST_LABEL_BYTES = 4096;

    private final Map<SadbExt, ByteBuffer> found = new EnumMap<>(SadbExt.class);

    private Extensions() {}

    /**
     * @param message a whole one, header included, from position to limit; the position stays
     * @throws XfrmException EINVAL
     */
    public static Extensions parse(ByteBuffer message) throws XfrmException {
        ByteBuffer in = message.duplicate();
        in.position(in.position() + SadbMsg.BYTES);
        Extensions extensions = new Extensions();
        while (in.hasRemaining()) {
            extensions.add(next(in));
        }
        return extensions;
    }

    private static ByteBuffer next(ByteBuffer in) throws XfrmException {
        in.order(ByteOrder.nativeOrder());
        requireValid(in.remaining() >= SadbExt.HEADER_BYTES);
        int bytes = Short.toUnsignedInt(in.getShort(in.position())) * SadbMsg.WORD_BYTES;
        requireValid(bytes != 0 && bytes <= in.remaining());
        ByteBuffer extension = in.slice(in.position(), bytes).order(ByteOrder.nativeOrder());
        in.position(in.position() + bytes);
        return extension;
    }

    private void add(ByteBuffer extension) throws XfrmException {
        int number = Short.toUnsignedInt(extension.getShort(2));
        requireValid(number != 0);
        SadbExt known = SadbExt.of(number);
        if (known == null) {
            return;
        }
        requireValid(extension.remaining() >= known.leastBytes());
        switch (known) {
            case ADDRESS_SRC, ADDRESS_DST, ADDRESS_PROXY, X_NAT_T_OA -> verifyAddress(extension);
            case KEY_AUTH, KEY_ENCRYPT -> verifyKey(extension);
            case X_SEC_CTX -> verifyLabel(extension);
            default -> {}
        }
        requireValid(found.put(known, extension.position(SadbExt.HEADER_BYTES)) == null);
    }

    private static void verifyAddress(ByteBuffer extension) throws XfrmException {
        requireValid(extension.remaining() >= ADDRESS_BYTES + Short.BYTES);
        int family = Short.toUnsignedInt(extension.getShort(ADDRESS_BYTES));
        requireValid(AddressFamily.isIp(family));
        int prefixBits = Byte.toUnsignedInt(extension.get(5));
        int bytes = SadbWriter.align(ADDRESS_BYTES + sockaddrBytes(family));
        requireValid(extension.remaining() == bytes && prefixBits <= AddressFamily.bits(family));
    }

    private static int sockaddrBytes(int family) {
        return family == AddressFamily.INET ? 16 : 28;
    }

    private static void verifyKey(ByteBuffer extension) throws XfrmException {
        int bits = Short.toUnsignedInt(extension.getShort(4));
        requireValid(KEY_BYTES + Math.ceilDiv(bits, Byte.SIZE) <= extension.remaining());
    }

    /**
     * {@code verify_sec_ctx_len}: that a label is as long as it says. What stands behind it does not matter.
     *
     * @param extension at least eight bytes, in native order
     * @throws XfrmException EINVAL
     */
    public static void verifyLabel(ByteBuffer extension) throws XfrmException {
        int words = Short.toUnsignedInt(extension.getShort(0));
        int bytes = Short.toUnsignedInt(extension.getShort(6));
        requireValid(words * SadbMsg.WORD_BYTES <= extension.remaining() && bytes <= LONGEST_LABEL_BYTES);
        requireValid(words * SadbMsg.WORD_BYTES == SadbWriter.align(LABEL_BYTES + bytes));
    }

    private static void requireValid(boolean valid) throws XfrmException {
        if (!valid) {
            throw new XfrmException(Errno.EINVAL);
        }
    }

    public boolean has(SadbExt extension) {
        return found.containsKey(extension);
    }

    /** What stands behind the extension's header, in native order, or null. */
    public ByteBuffer get(SadbExt extension) {
        ByteBuffer body = found.get(extension);
        return body == null ? null : body.duplicate().order(ByteOrder.nativeOrder());
    }

    /** @throws XfrmException EINVAL if it is not there */
    public ByteBuffer require(SadbExt extension) throws XfrmException {
        requireValid(has(extension));
        return get(extension);
    }
}
