package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.ByteOrder;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A socket by which the bridge sends IP packets as the host's own, or receives what is for the host: raw(7), udp(7).
 * What is sent takes the host's routes and passes its rules, whatever its source address, and has a priority of
 * {@link StackSigns}; but for a {@link #linkSender} and a {@link #frameSender}, packet(7). Never waits.
 */
public final class IpSocket implements AutoCloseable {
    static final int SOL_SOCKET = 1;
    static final int SO_MARK = 36;
    static final int SOL_IP = 0;
    static final int IP_TOS = 1;
    static final int IP_TTL = 2;
    static final int IP_PKTINFO = 8;
    static final int SOL_IPV6 = 41;
    static final int IPV6_FLOWINFO = 11;
    static final int IPV6_PKTINFO = 50;
    static final int IPV6_HOPLIMIT = 52;
    static final int IPV6_TCLASS = 67;
    static final int SOL_UDP = 17;
    static final int UDP_SEGMENT = 103;
    static final int UDP_GRO = 104;

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int AF_PACKET = 17;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_RAW = 3;
    private static final int CLOEXEC_NONBLOCK = 0x80000 | 0x800;
    /** Protocol of packets that have their header. */
    private static final int IPPROTO_RAW = 255;

    private static final int IPPROTO_ICMP = 1;
    private static final int IPPROTO_ICMPV6 = 58;

    private static final int SO_BROADCAST = 6;
    private static final int SO_PRIORITY = 12;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SO_MEMINFO = 55;
    private static final int MEMORY_FIGURES_BYTES = 9 * 4;
    private static final int MEMORY_DROPS = 8 * 4;
    private static final int SO_BINDTOIFINDEX = 62;
    private static final int SO_RCVMARK = 75;
    private static final int IP_MTU_DISCOVER = 10;
    private static final int IP_MULTICAST_LOOP = 34;
    private static final int IP_RECVTTL = 12;
    private static final int IP_RECVTOS = 13;
    private static final int IPV6_MULTICAST_LOOP = 19;
    private static final int IPV6_MTU_DISCOVER = 23;
    private static final int IPV6_V6ONLY = 26;
    private static final int IPV6_RECVPKTINFO = 49;
    private static final int IPV6_RECVHOPLIMIT = 51;
    private static final int IPV6_FREEBIND = 78;
    private static final int PMTUDISC_PROBE = 3;
    private static final int UDP_NO_CHECK6_RX = 102;
    private static final int SOL_RAW = 255;
    private static final int ICMP_FILTER = 1;
    private static final int ICMP6_FILTER = 1;
    private static final int ICMP6_FILTER_BYTES = 32;

    private static final int ICMP_DESTINATION_UNREACHABLE = 3;
    private static final int ICMPV6_DESTINATION_UNREACHABLE = 1;
    private static final int ICMPV6_PACKET_TOO_BIG = 2;

    private static final int SEND_BUFFER_BYTES = 8 << 20;
    private static final int RECEIVE_BUFFER_BYTES = 16 << 20;

    private final int family;
    private final String name;
    private final Descriptor descriptor;

    private IpSocket(int family, int type, int protocol) throws OsException {
        this.family = family;
        name = "socket(" + nameOf(family) + ", " + protocol + ")";
        descriptor = new Descriptor(check(LIBC.socket(family, type | CLOEXEC_NONBLOCK, protocol), name));
    }

    /**
     * Whether sockets that send get a group of {@link StackSigns} that rules see: it takes CAP_SETGID, and rules have
     * the numbers of the user namespace to which the network namespace belongs.
     */
    public static boolean haveGroups() throws OsException {
        return FileGroup.isPermitted(StackSigns.OWN_GROUPS) && CurrentProcess.isNetworkOfItsUsers();
    }

    private static String nameOf(int family) {
        return switch (family) {
            case AF_INET -> "AF_INET";
            case AF_INET6 -> "AF_INET6";
            default -> "AF_PACKET";
        };
    }

    /** What is to be done with a socket before it is used; it is closed if that fails. */
    private interface Preparation {
        void apply(IpSocket socket) throws OsException;
    }

    /** A socket has the group for files of who makes it. */
    private static IpSocket openToSend(int family, int type, int protocol, int priority, Preparation preparation)
            throws OsException {
        return FileGroup.within(StackSigns.group(priority), () -> open(family, type, protocol, preparation));
    }

    private static IpSocket open(int family, int type, int protocol, Preparation preparation) throws OsException {
        IpSocket socket = new IpSocket(family, type, protocol);
        try {
            preparation.apply(socket);
            return socket;
        } catch (OsException e) {
            socket.close();
            throw e;
        }
    }

    /** Sends packets with their IP header. EPERM without CAP_NET_RAW and CAP_NET_ADMIN. */
    public static IpSocket sender(int family, int priority) throws OsException {
        return openToSend(family, SOCK_RAW, IPPROTO_RAW, priority, socket -> socket.prepareToSend(priority));
    }

    /**
     * Sends packets with their IP header to a neighbour: queues of its interface and rules at its egress are all that
     * they pass. Receives nothing. EPERM without CAP_NET_RAW and CAP_NET_ADMIN.
     */
    public static IpSocket linkSender() throws OsException {
        return open(AF_PACKET, SOCK_DGRAM, 0, socket -> socket.set(SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES));
    }

    /**
     * Sends frames with their link header out of an interface, past all of the host's stack but what a
     * {@link #linkSender} passes. Receives nothing. EPERM without CAP_NET_RAW and CAP_NET_ADMIN.
     */
    public static IpSocket frameSender() throws OsException {
        return open(AF_PACKET, SOCK_RAW, 0, socket -> socket.set(SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES));
    }

    /**
     * Receives the host's packets of an IP protocol, whole ones. Others that want them have them, too; but while it is
     * open nobody is told that the host knows no such protocol.
     */
    public static IpSocket receiver(int family, int protocol) throws OsException {
        return open(family, SOCK_RAW, protocol, IpSocket::prepareToReceive);
    }

    /** Receives what routers say of packets of the host: ICMP "destination unreachable", ICMPv6 "packet too big". */
    public static IpSocket errorReceiver(int family) throws OsException {
        return open(family, SOCK_RAW, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, socket -> {
            socket.filterIcmp();
            socket.prepareToReceive();
        });
    }

    /**
     * Receives UDP at a port of all addresses of the host.
     *
     * @param port 0 for one that the kernel chooses
     * @param trains whether several datagrams of one train come as one
     */
    public static IpSocket udpReceiver(int family, int port, boolean trains) throws OsException {
        return openToSend(family, SOCK_DGRAM, 0, StackSigns.BYPASS_PRIORITY, socket -> {
            socket.prepareToSend(StackSigns.BYPASS_PRIORITY);
            socket.prepareToReceive();
            socket.trySet(SOL_UDP, UDP_GRO, trains ? 1 : 0);
            if (family == AF_INET) {
                socket.set(SOL_IP, IP_RECVTOS, 1);
                socket.set(SOL_IP, IP_RECVTTL, 1);
            } else {
                // What comes through a tunnel may do without a checksum (RFC 6935); the ICV is better.
                socket.trySet(SOL_UDP, UDP_NO_CHECK6_RX, 1);
                socket.set(SOL_IPV6, IPV6_V6ONLY, 1);
            }
            socket.bind(port);
        });
    }

    private void prepareToSend(int priority) throws OsException {
        set(SOL_SOCKET, SO_PRIORITY, priority);
        if (priority != StackSigns.BYPASS_PRIORITY) {
            // Who listens on this host had it when it was sent for the first time.
            set(family == AF_INET ? SOL_IP : SOL_IPV6, family == AF_INET ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, 0);
        }
        set(SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
        set(SOL_SOCKET, SO_BROADCAST, 1);
        // The path MTU of a tunnel is the datapath's to know: what the kernel learns of the way inside would choke it.
        if (family == AF_INET) {
            set(SOL_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE);
        } else {
            set(SOL_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
            set(SOL_IPV6, IPV6_FREEBIND, 1);
        }
    }

    /** How many packets the kernel has dropped, as too many waited here. */
    public long missed() {
        Memory figures = new Memory(MEMORY_FIGURES_BYTES);
        Memory length = Memory.ofInt(MEMORY_FIGURES_BYTES);
        int result = LIBC.getsockopt(descriptor.fd(), SOL_SOCKET, SO_MEMINFO, figures.pointer, length.pointer);
        return result == 0 ? Integer.toUnsignedLong(figures.buffer.getInt(MEMORY_DROPS)) : 0;
    }

    private void prepareToReceive() throws OsException {
        set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
        // Since Linux 5.19; before it a packet has no mark here.
        trySet(SOL_SOCKET, SO_RCVMARK, 1);
        if (family == AF_INET) {
            set(SOL_IP, IP_PKTINFO, 1);
        } else {
            set(SOL_IPV6, IPV6_RECVPKTINFO, 1);
            set(SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
            set(SOL_IPV6, IPV6_FLOWINFO, 1);
        }
    }

    /** A bit that is set keeps the type out. */
    private void filterIcmp() throws OsException {
        if (family == AF_INET) {
            set(SOL_RAW, ICMP_FILTER, ~(1 << ICMP_DESTINATION_UNREACHABLE));
            return;
        }
        Memory filter = new Memory(ICMP6_FILTER_BYTES);
        filter.buffer.putInt(0, ~(1 << ICMPV6_DESTINATION_UNREACHABLE | 1 << ICMPV6_PACKET_TOO_BIG));
        for (int at = 4; at < ICMP6_FILTER_BYTES; at += 4) {
            filter.buffer.putInt(at, -1);
        }
        check(
                LIBC.setsockopt(fd(), IPPROTO_ICMPV6, ICMP6_FILTER, filter.pointer, ICMP6_FILTER_BYTES),
                "setsockopt(ICMP6_FILTER)");
    }

    private void bind(int port) throws OsException {
        Memory address = new Memory(MessageVector.ADDRESS_BYTES);
        address.buffer.putShort(0, (short) family);
        address.buffer.order(ByteOrder.BIG_ENDIAN).putShort(MessageVector.PORT, (short) port);
        check(LIBC.bind(fd(), address.pointer, addressBytes()), "bind(UDP port %s)", port);
    }

    /** From now on nothing leaves but by this interface; ENODEV if there is none. */
    public void bindTo(int ifindex) throws OsException {
        set(SOL_SOCKET, SO_BINDTOIFINDEX, ifindex);
    }

    /** The port that the socket is bound to. */
    public int port() throws OsException {
        Memory address = new Memory(MessageVector.ADDRESS_BYTES);
        Memory bytes = Memory.ofInt(MessageVector.ADDRESS_BYTES);
        check(LIBC.getsockname(fd(), address.pointer, bytes.pointer), "getsockname(%s)", name);
        return Short.toUnsignedInt(address.buffer.order(ByteOrder.BIG_ENDIAN).getShort(MessageVector.PORT));
    }

    private void set(int level, int option, int value) throws OsException {
        check(trySet(level, option, value), "%s, setsockopt(%s, %s, %s)", name, level, option, value);
    }

    private int trySet(int level, int option, int value) {
        return LIBC.setsockopt(fd(), level, option, Memory.ofInt(value).pointer, 4);
    }

    /** Length of an address of its family. */
    int addressBytes() {
        return switch (family) {
            case AF_INET -> MessageVector.SOCKADDR_IN_BYTES;
            case AF_INET6 -> MessageVector.ADDRESS_BYTES;
            default -> MessageVector.SOCKADDR_LL_BYTES;
        };
    }

    /** AF_INET, AF_INET6, or AF_PACKET of a {@link #linkSender} or {@link #frameSender}. */
    public int family() {
        return family;
    }

    public int fd() {
        return descriptor.fd();
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
