package org.xfrmbridge.daemon.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * A socket as the kernel tells of it: {@code struct inet_diag_msg}. Ports in host order; addresses of a dual-stack
 * socket may be mapped ones.
 *
 * @param state as TCP numbers them, also of others
 * @param boundTo index of the interface that it is bound to, 0 for none
 * @param inode 0 if no process has it any more
 * @param cookie the number that no other socket has or had (SO_COOKIE)
 */
public record SocketEntry(
        int family,
        int state,
        Address local,
        int localPort,
        Address remote,
        int remotePort,
        int boundTo,
        long cookie,
        long inode) {
    static final int BYTES = 72;

    private static final int LISTENING = 10;
    private static final int STATE_AT = 1;
    private static final int LOCAL_PORT_AT = 4;
    private static final int REMOTE_PORT_AT = 6;
    private static final int LOCAL_AT = 8;
    private static final int REMOTE_AT = 24;
    private static final int INTERFACE_AT = 40;
    private static final int COOKIE_AT = 44;
    private static final int INODE_AT = 68;

    /** @param message in native order, at its beginning; at least {@link #BYTES} */
    static SocketEntry read(ByteBuffer message) {
        int family = message.get(0) & 0xff;
        return new SocketEntry(
                family,
                message.get(STATE_AT),
                address(message, LOCAL_AT, family),
                port(message, LOCAL_PORT_AT),
                address(message, REMOTE_AT, family),
                port(message, REMOTE_PORT_AT),
                message.getInt(INTERFACE_AT),
                message.getLong(COOKIE_AT),
                message.getInt(INODE_AT) & 0xffff_ffffL);
    }

    private static int port(ByteBuffer message, int at) {
        return (message.get(at) & 0xff) << 8 | message.get(at + 1) & 0xff;
    }

    private static Address address(ByteBuffer message, int at, int family) {
        ByteBuffer bytes = message.slice(at, Address.BYTES).order(ByteOrder.BIG_ENDIAN);
        return family == AddressFamily.INET
                ? Address.ofIpv4(bytes.getInt())
                : new Address(bytes.getLong(), bytes.getLong());
    }

    public boolean isListening() {
        return state == LISTENING;
    }

    public boolean isConnected() {
        return remotePort != 0;
    }
}
