package org.xfrmbridge.daemon.port;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.xfrm.AddressFamily;

/** Raw sockets by which one thread sends packets of every origin. Rules of the host know them by their priorities. */
final class IpSenders implements AutoCloseable {
    private final List<IpSocket> open = new ArrayList<>();
    private final Sender bridge;
    private final Sender passed;
    private final Sender translated;

    /** For packets of one priority. */
    static final class Sender {
        private final IpSocket ipv4;
        private final IpSocket ipv6;
        private final IpSocket boundV6;
        private int boundIndex;

        private Sender(IpSocket ipv4, IpSocket ipv6, IpSocket boundV6) {
            this.ipv4 = ipv4;
            this.ipv6 = ipv6;
            this.boundV6 = boundV6;
        }

        IpSocket ipv4() {
            return ipv4;
        }

        /** Null on a host without IPv6. */
        IpSocket ipv6() {
            return ipv6;
        }

        /**
         * For packets that are to leave by one interface, null if there is none of that index any more: a kernel holds
         * IPv6 with a source address to it only if the socket is bound.
         *
         * @param before what the socket was given is to be sent first
         */
        IpSocket ipv6By(int ifindex, Runnable before) {
            if (ifindex != boundIndex) {
                before.run();
                try {
                    boundV6.bindTo(ifindex);
                    boundIndex = ifindex;
                } catch (OsException e) {
                    return null;
                }
            }
            return boundV6;
        }
    }

    /** EPERM without CAP_NET_RAW and CAP_NET_ADMIN. */
    IpSenders() throws OsException {
        try {
            bridge = sender(StackSigns.BYPASS_PRIORITY);
            passed = sender(StackSigns.PASSED_PRIORITY);
            translated = sender(StackSigns.TRANSLATED_PRIORITY);
        } catch (OsException e) {
            close();
            throw e;
        }
    }

    private Sender sender(int priority) throws OsException {
        return new Sender(own(IpSocket.sender(AddressFamily.INET, priority)), ipv6(priority), ipv6(priority));
    }

    private IpSocket ipv6(int priority) throws OsException {
        try {
            return own(IpSocket.sender(AddressFamily.INET6, priority));
        } catch (OsException e) {
            if (e.errno() == OsException.EAFNOSUPPORT) {
                return null;
            }
            throw e;
        }
    }

    private IpSocket own(IpSocket socket) {
        open.add(socket);
        return socket;
    }

    boolean haveIpv6() {
        return bridge.ipv6 != null;
    }

    Sender of(Origin origin) {
        return switch (origin) {
            case BRIDGE -> bridge;
            case STACK, STACK_UNANSWERED -> passed;
            case STACK_TRANSLATED -> translated;
        };
    }

    @Override
    public void close() {
        open.forEach(IpSocket::close);
    }
}
