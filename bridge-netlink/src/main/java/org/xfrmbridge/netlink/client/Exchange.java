package org.xfrmbridge.netlink.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/** Requests and their answers on one connection. What is sent is wiped, as it may hold keys. One thread. */
final class Exchange implements AutoCloseable {
    private static final int ANSWER_LIMIT_MS = 10_000;
    private static final int CAPPED_BYTES = 4 + NetlinkHeader.BYTES;

    /** Writes what follows a request's header. */
    interface Body {
        void write(NetlinkWriter out);
    }

    private final NetlinkConnection connection;
    private int sequence;
    private int type;
    private NetlinkReader reader;

    Exchange(NetlinkConnection connection) {
        this.connection = connection;
    }

    /** Sends a request and waits for its acknowledgement. */
    void acknowledged(int requestType, Body body) throws IOException {
        acknowledged(requestType, 0, body);
    }

    void acknowledged(int requestType, int flags, Body body) throws IOException {
        send(requestType, NetlinkHeader.REQUEST | NetlinkHeader.ACK | flags, body);
        NetlinkReader answer = next();
        if (answer.header().type() != NetlinkHeader.ERROR) {
            throw new IOException(XfrmMessage.name(type) + " was answered by type "
                    + answer.header().type());
        }
    }

    /** Sends a request and waits for the message that answers it: its payload. */
    ByteBuffer answered(int requestType, Body body) throws IOException {
        send(requestType, NetlinkHeader.REQUEST, body);
        return next().payload();
    }

    void send(int requestType, int flags, Body body) throws IOException {
        type = requestType;
        NetlinkWriter out = new NetlinkWriter();
        out.begin(type, flags, ++sequence, 0);
        body.write(out);
        out.end();
        reader = null;
        try {
            connection.send(out.written());
        } finally {
            out.truncate(0);
        }
    }

    /**
     * The next message that answers the last request; throws if it is a refusal.
     *
     * @throws RefusedException with the errno of NLMSG_ERROR or NLMSG_DONE
     */
    NetlinkReader next() throws IOException {
        do {
            while (reader == null || !reader.next()) {
                ByteBuffer datagram = connection.receive(ANSWER_LIMIT_MS);
                if (datagram == null) {
                    throw new IOException("no answer within " + ANSWER_LIMIT_MS / 1000 + " s");
                }
                reader = new NetlinkReader(datagram);
            }
        } while (reader.header().sequence() != sequence);
        refuse(reader);
        return reader;
    }

    private void refuse(NetlinkReader message) throws RefusedException {
        int answer = message.header().type();
        if (answer != NetlinkHeader.ERROR && answer != NetlinkHeader.DONE) {
            return;
        }
        int errno = NetlinkErrors.errno(message.payload());
        if (errno != 0) {
            throw new RefusedException(XfrmMessage.name(type), errno, explanation(message));
        }
    }

    private static String explanation(NetlinkReader message) {
        if (!message.header().has(NetlinkHeader.ACK_TLVS)) {
            return null;
        }
        ByteBuffer payload = message.payload();
        int fixedBytes = message.header().type() == NetlinkHeader.DONE
                ? Integer.BYTES
                : message.header().has(NetlinkHeader.CAPPED)
                        ? CAPPED_BYTES
                        : Integer.BYTES + NetlinkHeader.align(payload.getInt(4));
        Attributes attributes = Attributes.parse(payload, fixedBytes, NetlinkErrors.ATTR_MISSING_NEST);
        StringBuilder text = new StringBuilder();
        append(text, attributes.getString(NetlinkErrors.ATTR_MESSAGE));
        append(
                text,
                attributes.has(NetlinkErrors.ATTR_OFFSET)
                        ? "at byte " + attributes.getInt(NetlinkErrors.ATTR_OFFSET, 0)
                        : null);
        append(
                text,
                attributes.has(NetlinkErrors.ATTR_MISSING_TYPE)
                        ? "attribute " + attributes.getInt(NetlinkErrors.ATTR_MISSING_TYPE, 0) + " is missing"
                        : null);
        return text.isEmpty() ? null : text.toString();
    }

    private static void append(StringBuilder text, String part) {
        if (part != null) {
            text.append(text.isEmpty() ? "" : ", ").append(part);
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
