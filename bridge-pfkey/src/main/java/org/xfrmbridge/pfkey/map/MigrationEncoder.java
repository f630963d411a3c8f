package org.xfrmbridge.pfkey.map;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Migration.KeyManagerAddresses;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXKmaddress;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.msg.SockaddrPair;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;

/** A {@link Migration} as {@code pfkey_send_migrate} tells it, whoever asked for it. */
public final class MigrationEncoder {
    private MigrationEncoder() {}

    /** @throws XfrmException EINVAL if PF_KEY has no number for a mode, or no address of a family */
    public static byte[] message(Migration migration) throws XfrmException {
        List<Move> moves = migration.moves();
        Selector selector = migration.selector();
        SadbWriter out = new SadbWriter(new SadbMsg(
                SadbType.X_MIGRATE, Protocols.toSatype(moves.getFirst().protocol()), 0, 0));
        KeyManagerAddresses told = migration.keyManager();
        if (told != null) {
            out.put(
                    SadbExt.X_KMADDRESS,
                    new SadbXKmaddress(told.reserved(), pair(told.family(), told.local(), told.remote())));
        }
        Sockaddr source = sockaddr(selector.family(), selector.saddr());
        Sockaddr destination = sockaddr(selector.family(), selector.daddr());
        List<SadbXIpsecrequest> requests = new ArrayList<>();
        for (Move move : moves) {
            requests.add(request(move, pair(move.oldFamily(), move.oldSaddr(), move.oldDaddr())));
            requests.add(request(move, pair(move.newFamily(), move.newSaddr(), move.newDaddr())));
        }
        // Ports are left out, and a protocol of 0 stays 0 here.
        return out.put(SadbExt.ADDRESS_SRC, new SadbAddress(selector.protocol(), selector.saddrPrefix(), source))
                .put(SadbExt.ADDRESS_DST, new SadbAddress(selector.protocol(), selector.daddrPrefix(), destination))
                .put(SadbExt.X_POLICY, new SadbXPolicy(SadbXPolicy.IPSEC, migration.direction() + 1, 0, 0, requests))
                .toBytes();
    }

    private static SadbXIpsecrequest request(Move move, SockaddrPair pair) throws XfrmException {
        Mode mode = Mode.of(move.mode());
        if (mode == null) {
            throw new XfrmException(Errno.EINVAL);
        }
        ByteBuffer bytes = ByteBuffer.allocate(pair.bytes()).order(ByteOrder.nativeOrder());
        pair.write(bytes);
        int level = move.reqid() == 0 ? SadbXIpsecrequest.REQUIRE : SadbXIpsecrequest.UNIQUE;
        return new SadbXIpsecrequest(move.protocol(), Modes.number(mode), level, move.reqid(), bytes.flip());
    }

    private static SockaddrPair pair(int family, Address source, Address destination) throws XfrmException {
        return new SockaddrPair(sockaddr(family, source), sockaddr(family, destination));
    }

    private static Sockaddr sockaddr(int family, Address address) throws XfrmException {
        if (Sockaddr.bytes(family) == 0) {
            throw new XfrmException(Errno.EINVAL);
        }
        return new Sockaddr(family, 0, address);
    }
}
