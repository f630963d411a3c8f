package org.xfrmbridge.daemon.control;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.Families;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.db.TcpConnection;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.map.PolicyDecoder;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * The lines of a {@code sockets} connection: policies and encapsulation of single sockets. What ends with it,
 * {@link SocketRegistry} knows. Control thread only.
 */
final class SocketRegistration {
    private static final Logger LOG = LoggerFactory.getLogger(SocketRegistration.class);
    private static final int EPERM = 1;
    private static final int EINVAL = 22;
    private static final String OK = "ok\n";
    private static final int PARTS_OF_ENDPOINT = 6;
    private static final String IPV6_AND_IPV4 = "10+2";

    private static final int SOCK_RAW = 3;

    private final XfrmService service;
    private final SocketPolicies sockets;
    private final SocketRegistry registry;
    private final Map<Long, Known> known = new HashMap<>();
    private final PfkeyPolicies policies;
    private final Peer peer;
    private boolean registered;

    /** @param cookie the kernel's number of the socket, which no other has or had @param type SOCK_DGRAM and so on */
    private record Known(long cookie, int type) {}

    /** Reads the value of IP_IPSEC_POLICY, or IPV6_IPSEC_POLICY. */
    interface PfkeyPolicies {
        PolicySpec read(ByteBuffer option, int family) throws XfrmException;
    }

    SocketRegistration(
            XfrmService service, SocketPolicies sockets, SocketRegistry registry, PfkeyPolicies policies, Peer peer) {
        this.service = service;
        this.sockets = sockets;
        this.registry = registry;
        this.policies = policies;
        this.peer = peer;
    }

    /**
     * A kernel asks for the right when a policy is set, and for none when encapsulation is, or a socket is bound or
     * closed: a process that had it and gave it up goes on to do that.
     *
     * @param trusted whether the sender still has the right
     */
    String line(String line, boolean trusted) {
        if (!peer.privileged() || !trusted && (line.startsWith("policy ") || line.startsWith("ipsec "))) {
            return errno(EPERM);
        }
        String[] parts = line.split(" ");
        try {
            long cookie = Long.parseUnsignedLong(parts[1]);
            switch (parts[0]) {
                case "socket" -> hold(cookie, parts);
                case "policy" -> note(cookie, policy(cookie, endpoint(parts), parts[PARTS_OF_ENDPOINT]), parts);
                case "ipsec" -> note(cookie, ipsec(cookie, endpoint(parts), parts[PARTS_OF_ENDPOINT]), parts);
                case "encap" -> note(cookie, encapsulation(cookie, endpoint(parts), parts[PARTS_OF_ENDPOINT]), parts);
                case "moved" -> note(cookie, move(cookie, endpoint(parts)), parts);
                case "accepted" -> accepted(cookie, endpoint(parts), parts);
                case "close" -> close(cookie);
                default -> throw new IllegalArgumentException(parts[0]);
            }
            announce();
            return OK;
        } catch (XfrmException e) {
            return errno(e.errno().number());
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return errno(EINVAL);
        }
    }

    /**
     * The inode number in front of each line, and what the kernel calls the socket as long as it lives. A journal has
     * that in front, the inode number behind.
     */
    private void hold(long inode, String[] parts) {
        Known socket = new Known(Long.parseUnsignedLong(parts[2]), Integer.parseInt(parts[3]));
        known.put(inode, socket);
        registry.hold(this, socket.cookie, parts.length > 4 ? Long.parseUnsignedLong(parts[4]) : inode);
        registry.note(socket.cookie, SocketRegistry.SOCKET, parts);
    }

    /** Of a journal: the socket has this connection alone. */
    private void accepted(long inode, LocalEndpoint at, String[] parts) throws XfrmException {
        if (known.containsKey(inode)) {
            Address remote = Address.parse(parts[6], at.family());
            TcpConnection connection = TcpConnection.of(at.family(), at.address(), remote, Integer.parseInt(parts[7]));
            move(inode, at);
            sockets.narrow(registry, cookie(inode), connection);
            note(inode, SocketRegistry.ACCEPTED, parts);
        }
    }

    /** A socket that was never named is known by this connection alone. */
    private Object owner(long inode) {
        return known.containsKey(inode) ? registry : this;
    }

    private long cookie(long inode) {
        Known socket = known.get(inode);
        return socket == null ? inode : socket.cookie;
    }

    /** A policy holds, but its owner hears that it would not outlive the bridge. */
    private void note(long inode, String about, String[] parts) throws XfrmException {
        if (known.containsKey(inode)) {
            registry.note(cookie(inode), about, parts);
            boolean ofPolicies = about == null || about.startsWith(SocketRegistry.POLICY);
            if (ofPolicies && !registry.isKept()) {
                throw new XfrmException(Errno.ENOSPC, "the bridge cannot write policies down");
            }
        }
    }

    /** Before something of a socket changes. */
    private void prepare(long inode, LocalEndpoint at) {
        if (known.containsKey(inode)) {
            registry.prepare(cookie(inode), at);
        }
    }

    private String move(long inode, LocalEndpoint to) {
        prepare(inode, to);
        sockets.move(owner(inode), cookie(inode), to);
        return SocketRegistry.MOVED;
    }

    private void close(long inode) {
        Known socket = known.remove(inode);
        if (socket == null) {
            sockets.close(this, inode);
        } else {
            registry.release(this, socket.cookie);
        }
    }

    private LocalEndpoint endpoint(String[] parts) {
        Known socket = known.get(Long.parseUnsignedLong(parts[1]));
        boolean both = parts[2].equals(IPV6_AND_IPV4);
        int family = both ? AddressFamily.INET6 : Integer.parseInt(parts[2]);
        int port = Integer.parseInt(parts[5]);
        int protocol = Integer.parseInt(parts[3]);
        if (!AddressFamily.isIp(family) || port < 0 || port > 0xffff || protocol < 0 || protocol > 0xff) {
            throw new IllegalArgumentException("no endpoint");
        }
        boolean raw = socket != null && socket.type == SOCK_RAW;
        return new LocalEndpoint(
                family,
                protocol,
                Address.parse(parts[4], family),
                raw ? SocketPolicies.EVERY_PORT : port,
                both ? Families.BOTH : Families.OWN);
    }

    private String ipsec(long cookie, LocalEndpoint at, String hex) throws XfrmException {
        return set(cookie, at, policies.read(bytes(hex), at.family()), Origin.Interface.PF_KEY);
    }

    private String policy(long cookie, LocalEndpoint at, String hex) throws XfrmException {
        if (hex.equals("-")) {
            prepare(cookie, at);
            service.clearSocketPolicies(owner(cookie), cookie(cookie));
            return null;
        }
        return set(cookie, at, PolicyDecoder.ofSocket(bytes(hex)), Origin.Interface.NETLINK);
    }

    /** Returns what is known of the socket by it. */
    private String set(long cookie, LocalEndpoint at, PolicySpec policy, Origin.Interface via) throws XfrmException {
        prepare(cookie, at);
        service.setSocketPolicy(owner(cookie), cookie(cookie), at, policy, via);
        return SocketRegistry.POLICY + policy.direction();
    }

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex)).order(ByteOrder.nativeOrder());
    }

    private String encapsulation(long cookie, LocalEndpoint at, String number) {
        int type = Integer.parseInt(number);
        prepare(cookie, at);
        sockets.setEncapsulation(owner(cookie), cookie(cookie), at, type);
        LOG.debug("{} takes ESP in UDP of type {} on port {}", peer, type, at.port());
        return SocketRegistry.ENCAPSULATION;
    }

    private void announce() {
        if (!registered && peer != Peer.SELF) {
            registered = true;
            LOG.info("{} registers sockets", peer);
        }
    }

    static String errno(int number) {
        return "errno " + number + "\n";
    }

    void end() {
        if (peer.privileged()) {
            sockets.closeAll(this);
            registry.releaseAll(this);
        }
        if (registered) {
            LOG.info("{} has gone; what its sockets asked for holds until the kernel has them no more", peer);
        }
    }
}
