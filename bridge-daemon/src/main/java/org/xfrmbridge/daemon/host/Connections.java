package org.xfrmbridge.daemon.host;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.NetlinkExchange;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/** The host's connection tracking (linux/netfilter/nfnetlink_conntrack.h). One thread at a time. */
final class Connections implements AutoCloseable {
    private static final int GET = 0x101;
    private static final int DELETE = 0x102;
    private static final int GENERIC_HEADER_BYTES = 4;

    private static final int NESTED = 0x8000;
    private static final int TUPLE = 1;
    private static final int STATUS = 3;
    private static final int TUPLE_IP = 1;
    private static final int TUPLE_PROTOCOL = 2;
    private static final int NUMBER = 1;
    private static final int SOURCE_PORT = 2;
    private static final int DESTINATION_PORT = 3;
    private static final int ICMP_ID = 4;
    private static final int ICMPV6_ID = 7;
    private static final int ICMP_ID_AT = 4;

    private static final int SEEN_REPLY = 1 << 1;
    private static final int SOURCE_NAT = 1 << 4;
    private static final int DESTINATION_NAT = 1 << 5;

    private final NetlinkExchange kernel;

    Connections() throws OsException {
        kernel = new NetlinkExchange(NetlinkSocket.toNetfilter(), type -> "IPCTNL_MSG_CT " + (type & 0xff));
    }

    /** Forgets the connection that a packet belongs to, if nobody has answered, and nothing is translated. */
    void forget(int family, int protocol, byte[] data, int network, int transport) throws OsException {
        boolean[] unanswered = new boolean[1];
        NetlinkWriter question = request(GET, family);
        putTuple(question, family, protocol, data, network, transport);
        kernel.run(question.end().toBytes(), answer -> unanswered[0] = isUnanswered(answer));
        if (unanswered[0]) {
            NetlinkWriter request = request(DELETE, family);
            putTuple(request, family, protocol, data, network, transport);
            kernel.run(request.end().toBytes(), answer -> {});
        }
    }

    private static boolean isUnanswered(NetlinkReader answer) {
        Attributes attributes = Attributes.parse(answer.payload(), GENERIC_HEADER_BYTES, STATUS);
        return attributes.has(STATUS)
                && (ByteBuffer.wrap(attributes.getBytes(STATUS)).getInt() & (SEEN_REPLY | SOURCE_NAT | DESTINATION_NAT))
                        == 0;
    }

    /** The one answer to a question says that it is one of many: only the acknowledgement ends it. */
    private NetlinkWriter request(int type, int family) {
        NetlinkWriter out = kernel.request(type, NetlinkHeader.ACK);
        out.room(GENERIC_HEADER_BYTES).put((byte) family).put((byte) 0).putShort((short) 0);
        return out;
    }

    private static void putTuple(NetlinkWriter out, int family, int protocol, byte[] data, int network, int transport) {
        int tuple = out.beginAttribute(TUPLE | NESTED);
        int addresses = out.beginAttribute(TUPLE_IP | NESTED);
        if (family == AddressFamily.INET) {
            out.putBytes(1, part(data, network + Ipv4.SOURCE, 4))
                    .putBytes(2, part(data, network + Ipv4.DESTINATION, 4));
        } else {
            out.putBytes(3, part(data, network + Ipv6.SOURCE, 16))
                    .putBytes(4, part(data, network + Ipv6.DESTINATION, 16));
        }
        out.endAttribute(addresses);
        int rest = out.beginAttribute(TUPLE_PROTOCOL | NESTED);
        out.putByte(NUMBER, protocol);
        switch (protocol) {
            case IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP, IpProtocol.DCCP, IpProtocol.UDPLITE ->
                out.putBytes(SOURCE_PORT, part(data, transport, 2))
                        .putBytes(DESTINATION_PORT, part(data, transport + 2, 2));
            case IpProtocol.ICMP -> putIcmp(out, ICMP_ID, data, transport);
            case IpProtocol.ICMPV6 -> putIcmp(out, ICMPV6_ID, data, transport);
            default -> {}
        }
        out.endAttribute(rest).endAttribute(tuple);
    }

    /** Its identifier, type and code, whose attributes follow each other. */
    private static void putIcmp(NetlinkWriter out, int first, byte[] data, int transport) {
        out.putBytes(first, part(data, transport + ICMP_ID_AT, 2))
                .putByte(first + 1, data[transport])
                .putByte(first + 2, data[transport + 1]);
    }

    private static byte[] part(byte[] data, int at, int bytes) {
        return Arrays.copyOfRange(data, at, at + bytes);
    }

    @Override
    public void close() {
        kernel.close();
    }
}
