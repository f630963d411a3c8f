package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * The message of a client that is handled: of one datagram the one that its reader is at.
 *
 * @param session who asks, and is answered
 * @param privileged whether the socket was opened and the message sent by who may ask for anything
 *     ({@code netlink_net_capable})
 */
record Request(NetlinkReader message, NetlinkSession session, boolean privileged) {
    boolean is(int type) {
        return message.type() == type;
    }

    /**
     * What follows the header, from its position on; at least as long as the type's structure once the form was found
     * right.
     */
    ByteBuffer payload() {
        return message.body();
    }

    /** Once the form was found right. */
    Attributes attributes() {
        return message.attributes();
    }

    /** Events carry what the client put in its header, which need not be its port. */
    Origin origin() {
        return new Origin(message.sequence(), message.portId());
    }

    /** Begins the answer, which goes to the client's port under the request's number. */
    NetlinkWriter reply(int type) {
        return begin(type, session.portId());
    }

    /** The same to a port of the caller's choice. */
    NetlinkWriter begin(int type, int portId) {
        return session.replies().writer().begin(type, 0, message.sequence(), portId);
    }

    void send(NetlinkWriter reply) {
        reply.end();
        session.replies().complete();
    }
}
