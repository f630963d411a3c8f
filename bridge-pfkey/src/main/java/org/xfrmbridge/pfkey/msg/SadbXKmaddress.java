package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.sadb.SadbStruct;

/** {@code struct sadb_x_kmaddress} and two addresses: where key managers of an X_MIGRATE talk, the local one first. */
public record SadbXKmaddress(int reserved, SockaddrPair pair) implements SadbStruct {
    /** @throws XfrmException EINVAL if they are not two addresses of one family */
    public static SadbXKmaddress read(ByteBuffer in) throws XfrmException {
        int reserved = in.getInt();
        return new SadbXKmaddress(reserved, SockaddrPair.read(in));
    }

    @Override
    public int bytes() {
        return 4 + pair.bytes();
    }

    @Override
    public void write(ByteBuffer out) {
        out.putInt(reserved);
        pair.write(out);
    }
}
