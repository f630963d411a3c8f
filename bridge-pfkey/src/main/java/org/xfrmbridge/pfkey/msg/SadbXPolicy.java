package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import java.util.List;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/**
 * {@code struct sadb_x_policy} and the requests behind it.
 *
 * @param type one of the constants here
 * @param dir {@code IPSEC_DIR_*}: one more than {@code XFRM_POLICY_*}
 * @param id the Policy's index
 */
public record SadbXPolicy(int type, int dir, int id, int priority, List<SadbXIpsecrequest> requests)
        implements SadbStruct {
    public static final int DISCARD = 0;
    public static final int NONE = 1;
    public static final int IPSEC = 2;
    public static final int ENTRUST = 3;
    public static final int BYPASS = 4;

    /**
     * Without the requests, which stay in the buffer: they mean something for some types only, and then errors in them
     * are errors.
     */
    public static SadbXPolicy read(ByteBuffer in) {
        int type = Short.toUnsignedInt(in.getShort());
        int dir = Byte.toUnsignedInt(in.get());
        in.get();
        int id = in.getInt();
        return new SadbXPolicy(type, dir, id, in.getInt(), List.of());
    }

    @Override
    public int bytes() {
        return 12 + requests.stream().mapToInt(SadbXIpsecrequest::bytes).sum();
    }

    @Override
    public void write(ByteBuffer out) {
        out.putShort((short) type).put((byte) dir).put((byte) 0).putInt(id).putInt(priority);
        requests.forEach(request -> request.write(out));
    }
}
