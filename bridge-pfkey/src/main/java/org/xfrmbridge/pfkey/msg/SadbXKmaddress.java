package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_kmaddress} and two addresses without padding between: where key managers of an X_MIGRATE talk. */
public record SadbXKmaddress(int reserved, Sockaddr local, Sockaddr remote) implements SadbStruct {
    /** @throws XfrmException EINVAL if they are not two addresses of one family */
    public static SadbXKmaddress read(ByteBuffer in) throws XfrmException {
        int reserved = in.getInt();
        int family = in.remaining() < Short.BYTES ? 0 : Sockaddr.familyAt(in);
        boolean whole = Sockaddr.bytes(family) != 0 && in.remaining() >= 2 * Sockaddr.bytes(family);
        if (!whole || Short.toUnsignedInt(in.getShort(in.position() + Sockaddr.bytes(family))) != family) {
            throw new XfrmException(Errno.EINVAL);
        }
        Sockaddr local = Sockaddr.read(in);
        return new SadbXKmaddress(reserved, local, Sockaddr.read(in));
    }

    @Override
    public int bytes() {
        return 4 + local.bytes() + remote.bytes();
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(reserved);
        local.write(out);
        remote.write(out);
    }
}
