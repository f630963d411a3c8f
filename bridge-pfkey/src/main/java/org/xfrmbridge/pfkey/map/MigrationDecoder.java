package org.xfrmbridge.pfkey.map;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Migration.KeyManagerAddresses;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXKmaddress;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.SockaddrPair;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.xfrm.PolicySpec.Type;
import org.xfrmbridge.xfrm.Template;

/** What X_MIGRATE says, as {@code pfkey_migrate} reads it: every fault in it is EINVAL. */
public final class MigrationDecoder {
    /** {@code IPSEC_DIR_MAX}; 0 passes here, and is refused as a direction later. */
    private static final int DIRECTION_LIMIT = 4;

    private MigrationDecoder() {}

    public static Migration decode(Extensions extensions) throws XfrmException {
        AddressPair pair = AddressPair.read(extensions);
        ByteBuffer body = extensions.require(SadbExt.X_POLICY);
        SadbXPolicy policy = SadbXPolicy.read(body);
        refuseIf(policy.dir() >= DIRECTION_LIMIT);
        return new Migration(
                pair.selector(),
                policy.dir() - 1,
                Type.MAIN,
                moves(body),
                keyManager(extensions.get(SadbExt.X_KMADDRESS)),
                null,
                0);
    }

    private static KeyManagerAddresses keyManager(ByteBuffer body) throws XfrmException {
        if (body == null) {
            return null;
        }
        SadbXKmaddress addresses = SadbXKmaddress.read(body);
        SockaddrPair pair = addresses.pair();
        return new KeyManagerAddresses(
                pair.source().address(), pair.destination().address(), addresses.reserved(), pair.family());
    }

    /** To the very end of the policy. */
    private static List<Move> moves(ByteBuffer behindPolicy) throws XfrmException {
        List<Move> moves = new ArrayList<>();
        while (behindPolicy.hasRemaining()) {
            refuseIf(moves.size() == Template.MAX_DEPTH);
            SadbXIpsecrequest from = SadbXIpsecrequest.read(behindPolicy);
            moves.add(move(from, SadbXIpsecrequest.read(behindPolicy)));
        }
        refuseIf(moves.isEmpty());
        return List.copyOf(moves);
    }

    private static Move move(SadbXIpsecrequest from, SadbXIpsecrequest to) throws XfrmException {
        SockaddrPair before = SockaddrPair.read(from.pair());
        SockaddrPair after = SockaddrPair.read(to.pair());
        refuseIf(from.proto() != to.proto() || from.mode() != to.mode() || from.reqid() != to.reqid());
        return new Move(
                before.destination().address(),
                before.source().address(),
                after.destination().address(),
                after.source().address(),
                // A kernel looks at eight bits of it.
                from.proto() & 0xff,
                Modes.of(from.mode()).number(),
                from.reqid(),
                before.family(),
                after.family());
    }
}
