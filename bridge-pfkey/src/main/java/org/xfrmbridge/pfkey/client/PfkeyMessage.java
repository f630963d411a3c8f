package org.xfrmbridge.pfkey.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Function;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbLifetime;
import org.xfrmbridge.pfkey.msg.SadbProp;
import org.xfrmbridge.pfkey.msg.SadbSupported;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;

/**
 * A message that a PF_KEY socket has received, with a copy of its bytes: header, and extensions as they are asked for.
 * Any thread.
 */
public final class PfkeyMessage {
    private final SadbMsg header;
    private final Extensions extensions;

    private PfkeyMessage(SadbMsg header, Extensions extensions) {
        this.header = header;
        this.extensions = extensions;
    }

    static PfkeyMessage read(ByteBuffer datagram) throws IOException {
        if (datagram.remaining() < SadbMsg.BYTES) {
            throw new IOException("a PF_KEY message of " + datagram.remaining() + " bytes");
        }
        byte[] copy = new byte[datagram.remaining()];
        datagram.get(datagram.position(), copy);
        try {
            return new PfkeyMessage(SadbMsg.read(datagram), Extensions.parse(ByteBuffer.wrap(copy)));
        } catch (XfrmException e) {
            throw new IOException("a PF_KEY message that is not whole", e);
        }
    }

    public SadbMsg header() {
        return header;
    }

    public boolean has(SadbExt extension) {
        return extensions.has(extension);
    }

    /** Reads an extension with its codec: {@code read(SadbExt.SA, SadbSa::read)}; null if it is not there. */
    public <T> T read(SadbExt extension, Function<ByteBuffer, T> codec) {
        ByteBuffer body = extensions.get(extension);
        return body == null ? null : codec.apply(body);
    }

    /** What stands behind an extension's header, in native order; null if it is not there. */
    public ByteBuffer body(SadbExt extension) {
        return extensions.get(extension);
    }

    public SadbAddress address(SadbExt extension) {
        return read(extension, SadbAddress::read);
    }

    public SadbLifetime lifetime(SadbExt extension) {
        return read(extension, SadbLifetime::read);
    }

    /** Algorithms that an answer to REGISTER lists. */
    public SadbSupported supported(SadbExt extension) {
        return read(extension, SadbSupported::read);
    }

    /** What an ACQUIRE proposes. */
    public SadbProp proposal() {
        return read(SadbExt.PROPOSAL, SadbProp::read);
    }

    /** As a State: of GET, DUMP, and events about States. */
    public PfkeyState state() {
        return PfkeyState.of(this);
    }

    /** As a Policy: of X_SPDGET, X_SPDDUMP, and events about Policies. */
    public PfkeyPolicy policy() throws IOException {
        return PfkeyPolicy.of(this);
    }

    @Override
    public String toString() {
        return header.toString();
    }
}
