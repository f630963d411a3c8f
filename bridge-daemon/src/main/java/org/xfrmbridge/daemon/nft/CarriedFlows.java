package org.xfrmbridge.daemon.nft;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/**
 * The connections that flowtables of others, or network cards for them, carry past all chains
 * (linux/netfilter/nfnetlink_conntrack.h). A kernel carries none that it does not know any more. One thread.
 */
public final class CarriedFlows implements AutoCloseable {
    private static final int GET_CONNECTION = 1 << 8 | 1;
    private static final int DELETE_CONNECTION = 1 << 8 | 2;

    // enum ctattr_type
    private static final int ORIGINAL = 1;
    private static final int REPLY = 2;
    private static final int STATUS = 3;
    private static final int ID = 12;
    private static final int ZONE = 18;
    private static final int STATUS_MASK = 26;
    private static final int NESTED = 0x8000;
    private static final int GENERIC_MESSAGE_BYTES = 4;
    /** IPS_OFFLOAD and IPS_HW_OFFLOAD: the second comes with the first. */
    private static final int CARRIED = 1 << 14;

    // enum ctattr_tuple, ctattr_ip, ctattr_l4proto
    private static final int ADDRESSES = 1;
    private static final int UPPER = 2;
    private static final int SOURCE4 = 1;
    private static final int DESTINATION4 = 2;
    private static final int SOURCE6 = 3;
    private static final int DESTINATION6 = 4;
    private static final int NUMBER = 1;
    private static final int SOURCE_PORT = 2;
    private static final int DESTINATION_PORT = 3;

    private final NetfilterSocket netfilter;
    private final int carried;

    /** @param carried bits of a connection's status ({@code enum ip_conntrack_status}), of which it has one */
    CarriedFlows(int carried) throws OsException {
        this.carried = carried;
        netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
    }

    public static CarriedFlows open() throws OsException {
        return new CarriedFlows(CARRIED);
    }

    private record End(Address address, int port) {}

    /** The addresses and ports of packets one way. */
    private record Tuple(int family, int protocol, End source, End destination) {
        static Tuple of(Attributes tuple) {
            Attributes addresses = tuple.nested(ADDRESSES, DESTINATION6);
            Attributes upper = tuple.nested(UPPER, DESTINATION_PORT);
            boolean isIpv4 = addresses.has(SOURCE4);
            return new Tuple(
                    isIpv4 ? AddressFamily.INET : AddressFamily.INET6,
                    upper.getByte(NUMBER, 0),
                    new End(address(addresses.get(isIpv4 ? SOURCE4 : SOURCE6)), port(upper.getBytes(SOURCE_PORT))),
                    new End(
                            address(addresses.get(isIpv4 ? DESTINATION4 : DESTINATION6)),
                            port(upper.getBytes(DESTINATION_PORT))));
        }

        private static Address address(ByteBuffer bytes) {
            if (bytes == null) {
                return Address.ANY;
            }
            ByteBuffer inOrder = bytes.duplicate();
            return inOrder.remaining() == 4
                    ? Address.ofIpv4(inOrder.getInt())
                    : new Address(inOrder.getLong(), inOrder.getLong());
        }

        private static int port(byte[] bytes) {
            return bytes == null
                    ? 0
                    : Short.toUnsignedInt(ByteBuffer.wrap(bytes).getShort());
        }
    }

    /** What is selected of that which is forwarded. Marks are of packets, and not looked at. */
    private static final class Wanted {
        private final Map<Level, Set<Element>> elements = new HashMap<>();
        private final Set<Integer> families = new HashSet<>();

        Wanted(Collection<Element> selected, Collection<WideScope> wide) {
            for (Element e : selected) {
                if (e.level().direction() != Direction.IN) {
                    elements.computeIfAbsent(e.level(), _ -> new HashSet<>())
                            .add(new Element(e.level(), e.saddr(), e.daddr(), e.protocol(), e.sport(), e.dport(), 0));
                }
            }
            for (WideScope scope : wide) {
                if (scope.direction() != Direction.IN) {
                    families.add(scope.family());
                }
            }
        }

        boolean isEmpty() {
            return elements.isEmpty() && families.isEmpty();
        }

        /** Either way, before and behind a translation. */
        boolean has(Tuple original, Tuple reply) {
            if (families.contains(original.family)) {
                return true;
            }
            for (End source : Set.copyOf(List.of(original.source, reply.destination))) {
                for (End destination : Set.copyOf(List.of(original.destination, reply.source))) {
                    if (has(original, source, destination) || has(original, destination, source)) {
                        return true;
                    }
                }
            }
            return false;
        }

        private boolean has(Tuple of, End source, End destination) {
            for (Map.Entry<Level, Set<Element>> set : elements.entrySet()) {
                Level level = set.getKey();
                if (level.family() == of.family
                        && set.getValue()
                                .contains(new Element(
                                        level,
                                        source.address.prefix(level.saddrBits()),
                                        destination.address.prefix(level.daddrBits()),
                                        level.protocol() ? of.protocol : 0,
                                        level.sport() ? source.port : 0,
                                        level.dport() ? destination.port : 0,
                                        0))) {
                    return true;
                }
            }
            return false;
        }
    }

    /**
     * Ends those whose packets, one way or the other, are selected: the next one goes by the chains again, as of a
     * connection that is not known. By the host none is carried when this returns; a card is told within seconds.
     *
     * @return how many
     */
    public int end(Collection<Element> elements, Collection<WideScope> wide) throws OsException {
        Wanted wanted = new Wanted(elements, wide);
        if (wanted.isEmpty()) {
            return 0;
        }
        List<byte[]> deletes = new ArrayList<>();
        netfilter.run(dump(), connection -> {
            Attributes attributes = Attributes.parse(connection.payload(), GENERIC_MESSAGE_BYTES, ZONE);
            int status = Integer.reverseBytes(attributes.getInt(STATUS, 0));
            if ((status & carried) != 0
                    && wanted.has(
                            Tuple.of(attributes.nested(ORIGINAL, UPPER)), Tuple.of(attributes.nested(REPLY, UPPER)))) {
                deletes.add(delete(connection, attributes));
            }
        });
        for (byte[] delete : deletes) {
            delete(delete);
        }
        return deletes.size();
    }

    /** Before Linux 5.17 a kernel looks at no status, and tells of all. */
    private byte[] dump() {
        NetlinkWriter out = new NetlinkWriter();
        Batch.begin(out, GET_CONNECTION, NetlinkHeader.DUMP, 0, 0, 0);
        Batch.putNumber(out, STATUS, carried);
        Batch.putNumber(out, STATUS_MASK, carried);
        return out.end().toBytes();
    }

    private static byte[] delete(NetlinkReader connection, Attributes attributes) {
        NetlinkWriter out = new NetlinkWriter();
        Batch.begin(
                out,
                DELETE_CONNECTION,
                NetlinkHeader.ACK,
                0,
                connection.payload().get(0),
                0);
        out.putBytes(ORIGINAL | NESTED, attributes.getBytes(ORIGINAL));
        for (int which : new int[] {ID, ZONE}) {
            if (attributes.has(which)) {
                out.putBytes(which, attributes.getBytes(which));
            }
        }
        return out.end().toBytes();
    }

    private void delete(byte[] request) throws OsException {
        try {
            netfilter.run(request, answer -> {});
        } catch (OsException e) {
            if (e.errno() != OsException.ENOENT) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        netfilter.close();
    }
}
