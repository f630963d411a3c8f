package org.xfrmbridge.netlink.msg;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.StateId;

/** {@code struct xfrm_user_tmpl}: one entry of XFRMA_TMPL. */
@RecordBuilder
public record UserTmpl(
        StateId id,
        int family,
        Address saddr,
        int reqid,
        int mode,
        int share,
        int optional,
        int authMask,
        int cipherMask,
        int compressionMask) {
    public static final int BYTES = 64;

    public static UserTmplBuilder builder() {
        return UserTmplBuilder.builder();
    }

    public static UserTmpl read(ByteBuffer in) {
        StateId id = Structs.readId(in);
        int family = Short.toUnsignedInt(in.getShort());
        in.getShort();
        Address saddr = Structs.readAddress(in);
        int reqid = in.getInt();
        int mode = Byte.toUnsignedInt(in.get());
        int share = Byte.toUnsignedInt(in.get());
        int optional = Structs.readByteAndSkip(in, 1);
        int authMask = in.getInt();
        int cipherMask = in.getInt();
        return UserTmpl.builder()
                .id(id)
                .family(family)
                .saddr(saddr)
                .reqid(reqid)
                .mode(mode)
                .share(share)
                .optional(optional)
                .authMask(authMask)
                .cipherMask(cipherMask)
                .compressionMask(in.getInt())
                .build();
    }

    public void write(ByteBuffer out) {
        Structs.writeId(out, id);
        out.putShort((short) family).putShort((short) 0);
        Structs.writeAddress(out, saddr);
        out.putInt(reqid).put((byte) mode).put((byte) share);
        Structs.writeByteAndPad(out, optional, 1);
        out.putInt(authMask).putInt(cipherMask).putInt(compressionMask);
    }
}
