package org.xfrmbridge.daemon.host;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The kernel's local table at one moment, and what VRFs have of that kind: whole prefixes (127.0.0.0/8) and a hash of
 * single addresses. Immutable; a look-up allocates nothing.
 */
final class LocalAddresses {
    static final LocalAddresses NONE = new LocalAddresses(List.of());

    private static final int LOCAL_TABLE = 255;
    private static final int RTA_TABLE = 15;

    /** Two longs per slot, open addressing; the unspecified address marks a free slot and is never stored. */
    private final long[] slots;

    private final List<Prefix> prefixes = new ArrayList<>();

    private final List<Address> unicast4 = new ArrayList<>();
    private final List<Address> unicast6 = new ArrayList<>();

    private record Prefix(int family, Address address, int bits, boolean unicast) {
        boolean contains(int otherFamily, long high, long low) {
            return family == otherFamily && address.sharesPrefix(new Address(high, low), bits);
        }
    }

    private LocalAddresses(List<Prefix> entries) {
        int capacity = Integer.highestOneBit(Math.max(8, 4 * entries.size()));
        slots = new long[2 * capacity];
        for (Prefix entry : entries) {
            if (entry.bits() < AddressFamily.bits(entry.family())) {
                prefixes.add(entry);
            } else {
                insert(entry.address());
                if (entry.unicast() && !isLoopback(entry)) {
                    (entry.family() == AddressFamily.INET ? unicast4 : unicast6).add(entry.address());
                }
            }
        }
    }

    static LocalAddresses read(RouteSocket socket) throws OsException {
        List<Integer> tables = new ArrayList<>(new Links(socket).vrfTables());
        tables.add(LOCAL_TABLE);
        List<Prefix> entries = new ArrayList<>();
        for (int family : new int[] {AddressFamily.INET, AddressFamily.INET6}) {
            for (RouteMessage message : routes(socket, family, tables)) {
                Route route = new Route(message);
                if (route.type() == Route.LOCAL || route.type() == Route.BROADCAST || route.type() == Route.ANYCAST) {
                    entries.add(
                            new Prefix(family, route.destination(), route.prefixBits(), route.type() == Route.LOCAL));
                }
            }
        }
        return new LocalAddresses(entries);
    }

    private static List<RouteMessage> routes(RouteSocket socket, int family, List<Integer> tables) throws OsException {
        List<RouteMessage> routes = new ArrayList<>();
        for (int table : tables) {
            // struct rtmsg, and an attribute, as a number of a table may be longer than the header's place for it.
            ByteBuffer request = ByteBuffer.allocate(20).order(ByteOrder.nativeOrder());
            request.put(0, (byte) family).putShort(12, (short) 8).putShort(14, (short) RTA_TABLE);
            try {
                routes.addAll(socket.dump(
                        RouteMessage.GET_ROUTE, request.putInt(16, table).array()));
            } catch (OsException e) {
                // There has never been a route of that family there.
                if (e.errno() != OsException.ENOENT) {
                    throw e;
                }
            }
        }
        return routes;
    }

    private static boolean isLoopback(Prefix entry) {
        return entry.family() == AddressFamily.INET
                ? entry.address().ipv4() >>> 24 == 127
                : entry.address().high() == 0 && entry.address().low() == 1;
    }

    List<Address> unicast(int family) {
        return family == AddressFamily.INET ? unicast4 : unicast6;
    }

    private void insert(Address address) {
        int at = slot(address.high(), address.low());
        slots[at] = address.high();
        slots[at + 1] = address.low();
    }

    /** Where the pair is, or the free slot where it would be. */
    private int slot(long high, long low) {
        long hash = (high * 31 + low) * 0x9e3779b97f4a7c15L;
        int at = (int) (hash >>> 33) * 2 & slots.length - 1;
        while ((slots[at] | slots[at + 1]) != 0 && (slots[at] != high || slots[at + 1] != low)) {
            at = at + 2 & slots.length - 1;
        }
        return at;
    }

    boolean contains(int family, long high, long low) {
        if ((high | low) == 0 || isMulticast(family, high)) {
            return true;
        }
        int at = slot(high, low);
        if ((slots[at] | slots[at + 1]) != 0) {
            return true;
        }
        for (int i = 0; i < prefixes.size(); i++) {
            if (prefixes.get(i).contains(family, high, low)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isMulticast(int family, long high) {
        return family == AddressFamily.INET ? high >>> 60 == 0xe || high >>> 32 == 0xffff_ffffL : high >>> 56 == 0xff;
    }
}
