package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;

/** Two addresses of one family, one behind the other without padding between ({@code parse_sockaddr_pair}). */
public record SockaddrPair(Sockaddr source, Sockaddr destination) {
    /**
     * Reads from the buffer's position on; what stands behind the pair is nobody's. @throws XfrmException EINVAL if
     * there is no pair
     */
    public static SockaddrPair read(ByteBuffer in) throws XfrmException {
        int family = in.remaining() < Short.BYTES ? 0 : Sockaddr.familyAt(in);
        int bytes = Sockaddr.bytes(family);
        if (bytes == 0
                || in.remaining() < 2 * bytes
                || Short.toUnsignedInt(in.getShort(in.position() + bytes)) != family) {
            throw new XfrmException(Errno.EINVAL);
        }
        Sockaddr source = Sockaddr.read(in);
        return new SockaddrPair(source, Sockaddr.read(in));
    }

    public int family() {
        return source.family();
    }

    public int bytes() {
        return source.bytes() + destination.bytes();
    }

    public void write(ByteBuffer out) {
        source.write(out);
        destination.write(out);
    }
}
