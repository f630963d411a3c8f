package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;

/**
 * {@code struct sadb_x_ipsecrequest}: one transform of a policy. Its length counts bytes, and it is no extension by
 * itself.
 *
 * @param mode {@code IPSEC_MODE_*}
 * @param level one of the constants here
 * @param pair source and destination of a tunnel, one after the other without padding between; the reader's view of
 *     what follows the structure, whatever that is
 */
public record SadbXIpsecrequest(int proto, int mode, int level, int reqid, ByteBuffer pair) {
    public static final int DEFAULT = 0;
    public static final int USE = 1;
    public static final int REQUIRE = 2;
    public static final int UNIQUE = 3;

    public static final int BYTES = 16;

    /**
     * Behind a {@link SadbXPolicy}; less than a structure at the end is ignored. @throws XfrmException EINVAL if a
     * length is wrong
     */
    public static List<SadbXIpsecrequest> readAll(ByteBuffer in) throws XfrmException {
        List<SadbXIpsecrequest> requests = new ArrayList<>();
        while (in.remaining() >= BYTES) {
            requests.add(read(in));
        }
        return requests;
    }

    /**
     * The one at the buffer's position, which moves behind it. @throws XfrmException EINVAL if there is no whole one
     */
    public static SadbXIpsecrequest read(ByteBuffer in) throws XfrmException {
        int bytes = in.remaining() < BYTES ? 0 : Short.toUnsignedInt(in.getShort(in.position()));
        if (bytes < BYTES || bytes > in.remaining()) {
            throw new XfrmException(Errno.EINVAL);
        }
        SadbXIpsecrequest request = readWhole(in.slice(in.position(), bytes).order(in.order()));
        in.position(in.position() + bytes);
        return request;
    }

    private static SadbXIpsecrequest readWhole(ByteBuffer in) {
        in.getShort();
        int proto = Short.toUnsignedInt(in.getShort());
        int mode = Byte.toUnsignedInt(in.get());
        int level = Byte.toUnsignedInt(in.get());
        in.getShort();
        int reqid = in.getInt();
        in.getInt();
        return new SadbXIpsecrequest(proto, mode, level, reqid, in.slice().order(in.order()));
    }

    int bytes() {
        return BYTES + pair.remaining();
    }

    void write(ByteBuffer out) {
        out.putShort((short) bytes())
                .putShort((short) proto)
                .put((byte) mode)
                .put((byte) level)
                .putShort((short) 0);
        out.putInt(reqid).putInt(0).put(pair.duplicate());
    }
}
