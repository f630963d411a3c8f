package org.xfrmbridge.pfkey.map;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.pfkey.msg.SadbXSecCtx;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbWriter;

/** Security labels: the core keeps them as the netlink attribute, a {@code struct xfrm_user_sec_ctx}, which nobody here judges. */
final class Labels {
    private static final int HEADER_BYTES = 8;

    private Labels() {}

    /** Null if there is none. */
    static byte[] read(Extensions extensions) {
        ByteBuffer body = extensions.get(SadbExt.X_SEC_CTX);
        if (body == null) {
            return null;
        }
        SadbXSecCtx context = SadbXSecCtx.read(body);
        int bytes = HEADER_BYTES + context.label().length;
        ByteBuffer attribute = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        attribute.putShort((short) bytes).putShort((short) SadbExt.X_SEC_CTX.number());
        context.write(attribute);
        return attribute.array();
    }

    static void put(SadbWriter out, byte[] attribute) {
        if (attribute != null && attribute.length >= HEADER_BYTES) {
            ByteBuffer in = ByteBuffer.wrap(attribute).order(ByteOrder.nativeOrder());
            int labelBytes = Short.toUnsignedInt(in.getShort(6));
            if (HEADER_BYTES + labelBytes <= attribute.length) {
                out.put(SadbExt.X_SEC_CTX, SadbXSecCtx.read(in.position(SadbExt.HEADER_BYTES)));
            }
        }
    }
}
