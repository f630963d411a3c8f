package org.xfrmbridge.it.javaclient;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import org.xfrmbridge.netlink.client.NetlinkConnection;
import org.xfrmbridge.netlink.map.RequestEncoder;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Requests that each make one event and want no answer, at a steady rate: so a bridge that has less to do with them is
 * not sent more.
 */
final class Flood {
    private static final int LAST = 7;
    private static final int BURST = 20;
    private static final long BURST_NS = 400_000;

    private final NetlinkConnection connection;
    private final byte[] request;
    private final byte[] last;

    private Flood(NetlinkConnection connection, NetlinkWriter unanswered, NetlinkWriter answered) {
        this.connection = connection;
        this.request = unanswered.toBytes();
        this.last = answered.toBytes();
    }

    /** Soft limits of a State. */
    static Flood ofStateExpiries(NetlinkConnection connection, StateSpec spec) {
        return new Flood(connection, expiry(spec, 0), expiry(spec, NetlinkHeader.ACK));
    }

    private static NetlinkWriter expiry(StateSpec spec, int flags) {
        NetlinkWriter out = new NetlinkWriter();
        out.begin(XfrmMessage.EXPIRE, NetlinkHeader.REQUEST | flags, LAST, 0);
        new UserExpire(RequestEncoder.info(spec), 0).write(out.room(UserExpire.BYTES));
        return out.end();
    }

    /** Soft limits of a Policy, which is there. */
    static Flood ofPolicyExpiries(NetlinkConnection connection, PolicySpec spec) {
        return new Flood(connection, expiry(spec, 0), expiry(spec, NetlinkHeader.ACK));
    }

    private static NetlinkWriter expiry(PolicySpec spec, int flags) {
        NetlinkWriter out = new NetlinkWriter();
        out.begin(XfrmMessage.POLEXPIRE, NetlinkHeader.REQUEST | flags, LAST, 0);
        new UserPolexpire(RequestEncoder.info(spec), 0).write(out.room(UserPolexpire.BYTES));
        return out.end();
    }

    /** Returns when the last event has been made. */
    void send(int events) throws IOException {
        long startNs = System.nanoTime();
        for (int i = 1; i < events; i++) {
            connection.send(ByteBuffer.wrap(request));
            if (i % BURST == 0) {
                LockSupport.parkNanos(startNs + i / BURST * BURST_NS - System.nanoTime());
            }
        }
        connection.send(ByteBuffer.wrap(last));
        NetlinkReader answer = new NetlinkReader(connection.receive(60_000));
        if (!answer.next() || NetlinkErrors.errno(answer.payload()) != 0) {
            throw new IOException("the flood was refused: errno " + NetlinkErrors.errno(answer.payload()));
        }
    }
}
