package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_address} and the address behind it. @param proto of the upper layer, 255 for any in policies */
public record SadbAddress(int proto, int prefixlen, Sockaddr sockaddr) implements SadbStruct {
    public static SadbAddress read(ByteBuffer in) {
        int proto = Byte.toUnsignedInt(in.get());
        int prefixlen = Byte.toUnsignedInt(in.get());
        in.getShort();
        return new SadbAddress(proto, prefixlen, Sockaddr.read(in));
    }

    @Override
    public int bytes() {
        return 4 + sockaddr.bytes();
    }

    @Override
    public void write(ByteBuffer out) {
        out.put((byte) proto).put((byte) prefixlen).putShort((short) 0);
        sockaddr.write(out);
    }
}
