package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * One message of a client whose form is right.
 *
 * @param payload what follows the header, at least as long as the type's structure; position 0
 * @param session who asks, and is answered
 */
record Request(NetlinkHeader header, ByteBuffer payload, Attributes attributes, NetlinkSession session) {
    boolean is(int type) {
        return header.type() == type;
    }

    /** Events carry what the client put in its header, which need not be its port. */
    Origin origin() {
        return new Origin(header.sequence(), header.portId());
    }

    /** Begins the answer, which goes to the client's port under the request's number. */
    NetlinkWriter reply(int type) {
        return begin(type, session.portId());
    }

    /** The same to a port of the caller's choice. */
    NetlinkWriter begin(int type, int portId) {
        return session.replies().writer().begin(type, 0, header.sequence(), portId);
    }

    void send(NetlinkWriter reply) {
        reply.end();
        session.replies().complete();
    }
}
