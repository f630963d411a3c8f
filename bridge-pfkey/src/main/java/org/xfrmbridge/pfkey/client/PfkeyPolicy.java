package org.xfrmbridge.pfkey.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbLifetime;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbWriter;

/**
 * A Policy in PF_KEY's words.
 *
 * @param policy what becomes of the traffic, and the transforms it needs
 * @param source of the traffic, with its prefix length and, in {@code proto}, the upper layer (255: any)
 * @param hard limits; null if not said
 * @param soft limits; null if not said
 * @param current when it was added and last used; of answers only
 */
public record PfkeyPolicy(
        SadbXPolicy policy,
        SadbAddress source,
        SadbAddress destination,
        SadbLifetime hard,
        SadbLifetime soft,
        SadbLifetime current) {
    public PfkeyPolicy(SadbXPolicy policy, SadbAddress source, SadbAddress destination) {
        this(policy, source, destination, null, null, null);
    }

    static PfkeyPolicy of(PfkeyMessage message) throws IOException {
        ByteBuffer body = message.body(SadbExt.X_POLICY);
        if (body == null) {
            throw new IOException("a PF_KEY message without a policy");
        }
        SadbXPolicy bare = SadbXPolicy.read(body);
        try {
            List<SadbXIpsecrequest> requests = SadbXIpsecrequest.readAll(body);
            return new PfkeyPolicy(
                    new SadbXPolicy(bare.type(), bare.dir(), bare.id(), bare.priority(), requests),
                    message.address(SadbExt.ADDRESS_SRC),
                    message.address(SadbExt.ADDRESS_DST),
                    message.lifetime(SadbExt.LIFETIME_HARD),
                    message.lifetime(SadbExt.LIFETIME_SOFT),
                    message.lifetime(SadbExt.LIFETIME_CURRENT));
        } catch (XfrmException e) {
            throw new IOException("a PF_KEY policy that is not whole", e);
        }
    }

    void write(SadbWriter out) {
        out.put(SadbExt.X_POLICY, policy).put(SadbExt.ADDRESS_SRC, source).put(SadbExt.ADDRESS_DST, destination);
        if (hard != null) {
            out.put(SadbExt.LIFETIME_HARD, hard);
        }
        if (soft != null) {
            out.put(SadbExt.LIFETIME_SOFT, soft);
        }
    }
}
