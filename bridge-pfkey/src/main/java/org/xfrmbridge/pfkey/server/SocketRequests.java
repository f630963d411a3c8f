package org.xfrmbridge.pfkey.server;

import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.map.Algorithms;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.pfkey.sadb.Satype;

/** Requests about the socket they come through: REGISTER and X_PROMISC. */
final class SocketRequests {
    private static final int ERRNO_AT = 2;

    private final PfkeyKeyManager keyManager;

    SocketRequests(PfkeyKeyManager keyManager) {
        this.keyManager = keyManager;
    }

    /** {@code pfkey_register}: the answer, the same for every type, goes to all who are registered. */
    void register(Request request) throws XfrmException {
        int satype = request.header().satype();
        if (satype > Satype.MAX) {
            throw new XfrmException(Errno.EINVAL);
        }
        if (satype != Satype.UNSPEC) {
            request.session().registerOnce(satype);
        }
        SadbWriter out = new SadbWriter(request.answer(satype))
                .put(SadbExt.SUPPORTED_AUTH, Algorithms.supported(AlgorithmKind.AUTH))
                .put(SadbExt.SUPPORTED_ENCRYPT, Algorithms.supported(AlgorithmKind.CIPHER));
        keyManager.broadcast(out.toBytes(), BroadcastScope.REGISTERED, request.session());
    }

    /** {@code pfkey_promisc}: a header alone turns it on or off; anything more is passed on to all as it is. */
    void promiscuous(Request request) throws XfrmException {
        SadbMsg header = request.header();
        byte[] message = new byte[request.datagram().remaining()];
        request.datagram().get(request.datagram().position(), message);
        if (header.isAlone()) {
            if (header.satype() > 1) {
                throw new XfrmException(Errno.EINVAL);
            }
            request.session().setPromiscuous(header.satype() == 1);
            message[ERRNO_AT] = 0;
        }
        keyManager.broadcast(message, BroadcastScope.ALL, null);
    }
}
