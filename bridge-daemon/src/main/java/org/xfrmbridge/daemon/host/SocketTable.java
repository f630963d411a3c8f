package org.xfrmbridge.daemon.host;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.NetlinkExchange;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The TCP and UDP sockets of the kernel, of this network namespace: sock_diag(7). Others by their inodes in /proc/net.
 * One thread at a time.
 */
public final class SocketTable implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketTable.class);
    private static final int SOCK_DIAG_BY_FAMILY = 20;
    private static final int ALL_STATES = -1;
    private static final int LISTENING = 1 << 10;
    private static final long NO_COOKIE = -1;
    private static final List<String> OTHERS = List.of("raw", "raw6", "icmp", "icmp6", "udplite", "udplite6");
    private static final int INODE_COLUMN = 9;

    private final NetlinkExchange kernel;
    /** By protocol, null as long as that did not matter. */
    private final Boolean[] told = new Boolean[256];

    public SocketTable() {
        NetlinkSocket socket = open();
        kernel = socket == null ? null : new NetlinkExchange(socket, type -> "SOCK_DIAG_BY_FAMILY");
    }

    /** Null if the kernel has no sock_diag: then every question is refused. */
    static NetlinkSocket open() {
        try {
            return NetlinkSocket.toSocketDiagnosis();
        } catch (OsException e) {
            LOG.debug("the kernel does not tell of its sockets: {}", e.getMessage());
            return null;
        }
    }

    /** Whether sockets of a protocol can be asked for. */
    public static boolean knows(int protocol) {
        return protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
    }

    /**
     * All sockets of a family that have a local port; those of a listening one that wait to be accepted, and what is
     * left of closed ones, too.
     */
    public List<SocketEntry> atPort(int family, int protocol, int localPort) throws OsException {
        return exchange(NetlinkHeader.DUMP, family, protocol, ALL_STATES, Ends.of(localPort));
    }

    /** All of a family that wait for somebody: those of TCP that listen, those of UDP, connected ones, too. */
    List<SocketEntry> waiting(int family, int protocol) throws OsException {
        int states = protocol == IpProtocol.TCP ? LISTENING : ALL_STATES;
        return exchange(NetlinkHeader.DUMP, family, protocol, states, Ends.of(0));
    }

    /** The one that gets what comes from a remote address and port; null if there is none. */
    public SocketEntry find(
            int family, int protocol, int ifindex, Address local, int localPort, Address remote, int remotePort)
            throws OsException {
        // Of UDP the kernel takes the source for the remote one, of TCP for its own.
        Ends ends = protocol == IpProtocol.UDP
                ? new Ends(remote, remotePort, local, localPort, ifindex)
                : new Ends(local, localPort, remote, remotePort, ifindex);
        try {
            requireTold(protocol);
            List<SocketEntry> found = exchange(0, family, protocol, ALL_STATES, ends);
            return found.isEmpty() ? null : found.getFirst();
        } catch (OsException e) {
            if (e.errno() == OsException.ENOENT) {
                findOut(family, protocol, localPort);
                requireTold(protocol);
                return null;
            }
            throw e;
        }
    }

    private void requireTold(int protocol) throws OsException {
        if (told[protocol] == Boolean.FALSE) {
            throw new OsException("SOCK_DIAG_BY_FAMILY", OsException.EOPNOTSUPP);
        }
    }

    /**
     * ENOENT is also the answer of a kernel without inet_diag, or udp_diag: it has tried to load the module. Asked for
     * several sockets it makes no error of it that there are none.
     */
    private void findOut(int family, int protocol, int localPort) throws OsException {
        if (told[protocol] == null) {
            try {
                atPort(family, protocol, localPort);
                told[protocol] = Boolean.TRUE;
            } catch (OsException e) {
                told[protocol] = e.errno() == OsException.ENOENT ? Boolean.FALSE : null;
                throw e;
            }
        }
    }

    private record Ends(Address source, int sourcePort, Address destination, int destinationPort, int ifindex) {
        /** Of sockets with a local port; 0 for any. */
        static Ends of(int localPort) {
            return new Ends(Address.ANY, localPort, Address.ANY, 0, 0);
        }
    }

    /** {@code struct inet_diag_req_v2}. */
    private List<SocketEntry> exchange(int flags, int family, int protocol, int states, Ends ends) throws OsException {
        if (kernel == null) {
            throw new OsException("socket(NETLINK_SOCK_DIAG)", OsException.EOPNOTSUPP);
        }
        NetlinkWriter request = kernel.request(SOCK_DIAG_BY_FAMILY, flags);
        request.room(12)
                .put((byte) family)
                .put((byte) protocol)
                .putShort((short) 0)
                .putInt(states)
                .putShort(networkOrder(ends.sourcePort))
                .putShort(networkOrder(ends.destinationPort));
        request.putBytes(bytes(family, ends.source)).putBytes(bytes(family, ends.destination));
        request.room(12).putInt(ends.ifindex).putLong(NO_COOKIE);
        List<SocketEntry> found = new ArrayList<>();
        kernel.run(request.end().toBytes(), reader -> {
            if (reader.payload().remaining() >= SocketEntry.BYTES) {
                found.add(SocketEntry.read(
                        reader.payload().slice().order(reader.payload().order())));
            }
        });
        return found;
    }

    private static short networkOrder(int port) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? (short) port : Short.reverseBytes((short) port);
    }

    private static byte[] bytes(int family, Address address) {
        Address plain = address.only(family);
        return ByteBuffer.allocate(Address.BYTES)
                .putLong(plain.high())
                .putLong(plain.low())
                .array();
    }

    /** Whether a raw socket, or one of another protocol, is still there. */
    public static boolean isListed(long inode) throws IOException {
        String text = String.valueOf(inode);
        for (String table : OTHERS) {
            try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/net", table))) {
                if (lines.map(line -> line.strip().split("\\s+"))
                        .anyMatch(columns -> columns.length > INODE_COLUMN && columns[INODE_COLUMN].equals(text))) {
                    return true;
                }
            } catch (NoSuchFileException e) {
                // A kernel without that protocol.
            }
        }
        return false;
    }

    @Override
    public void close() {
        if (kernel != null) {
            kernel.close();
        }
    }
}
