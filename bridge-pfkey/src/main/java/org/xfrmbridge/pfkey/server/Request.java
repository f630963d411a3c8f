package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbMsg;

/** A message of a client. @param datagram all of it, from position to limit */
record Request(PfkeySession session, SadbMsg header, Extensions extensions, ByteBuffer datagram) {
    Origin origin() {
        return new Origin(header.sequence(), header.pid(), Origin.Interface.PF_KEY);
    }

    /** The header of an answer: of the same type, number and process. */
    SadbMsg answer(int satype) {
        return new SadbMsg(header.type(), satype, header.sequence(), header.pid());
    }
}
