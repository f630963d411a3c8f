package org.xfrmbridge.daemon.route;

import static org.xfrmbridge.daemon.route.RouteMessage.DELETE_FILTER;
import static org.xfrmbridge.daemon.route.RouteMessage.GET_FILTER;
import static org.xfrmbridge.daemon.route.RouteMessage.NEW_FILTER;
import static org.xfrmbridge.daemon.route.RouteMessage.NEW_QDISC;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * Has frames that are sent by one device come in by others: filters of tc at its egress, as packet filters can hand a
 * frame to another device only for sending. Of a destination MAC that begins with {@code prefix} the other four bytes
 * are the index of the device to come in by, in native order. All other frames pass one comparison.
 *
 * <p>linux/pkt_sched.h, linux/pkt_cls.h, linux/tc_act/tc_mirred.h. Uses its socket on the caller's thread.
 */
public final class ArrivalFilters {
    private static final int HEADER_BYTES = 20;
    private static final int CLSACT = 0xffff_fff1;
    private static final int CLSACT_HANDLE = 0xffff_0000;
    private static final int EGRESS = 0xffff_fff3;
    /** Preference 1, all protocols in network order. */
    private static final int PREFERENCE = 1 << 16;

    private static final int ALL_PROTOCOLS = 3;

    private static final int TCA_KIND = 1;
    private static final int TCA_OPTIONS = 2;
    private static final int TCA_U32_HASH = 2;
    private static final int TCA_U32_LINK = 3;
    private static final int TCA_U32_DIVISOR = 4;
    private static final int TCA_U32_SEL = 5;
    private static final int TCA_U32_ACT = 7;
    private static final int TCA_ACT_KIND = 1;
    private static final int TCA_ACT_OPTIONS = 2;
    private static final int TCA_MIRRED_PARMS = 2;
    private static final int INGRESS_REDIRECT = 3;
    private static final int STOLEN = 4;
    private static final byte TERMINAL = 1;

    /** The filters of devices, one after the other. */
    private static final int TABLE = 1 << 20;

    /** From the network header on: the two bytes before the MAC and its first two, then its other four. */
    private static final int PREFIX_AT = -16;

    private static final int INDEX_AT = -12;
    private static final int SELECTOR_BYTES = 16;
    private static final int KEY_BYTES = 16;

    private final RouteSocket socket;
    private final int prefix;

    /** @param prefix bytes 0 and 1 of the destination MAC */
    public ArrivalFilters(RouteSocket socket, int prefix) {
        this.socket = socket;
        this.prefix = prefix;
    }

    /** Indexes of the devices that frames sent by this one may come in by. */
    public Set<Integer> of(int device) throws OsException {
        NetlinkWriter header = new NetlinkWriter();
        writeHeader(header, device, 0, EGRESS, 0);
        Set<Integer> indexes = new HashSet<>();
        for (RouteMessage filter : socket.dump(GET_FILTER, header.toBytes())) {
            Attributes options = filter.attributes().nested(TCA_OPTIONS, TCA_U32_ACT);
            ByteBuffer selector = options == null ? null : options.look(TCA_U32_SEL);
            if (selector != null && options.has(TCA_U32_ACT)) {
                indexes.add(selector.slice().order(ByteOrder.nativeOrder()).getInt(SELECTOR_BYTES + 4));
            }
        }
        return indexes;
    }

    /**
     * Takes all away that were there. ENOENT from a kernel that lacks a part: sch_ingress, cls_u32 or act_mirred.
     *
     * @param indexes of the devices that frames sent by this one may come in by from now on
     */
    public void replace(int device, Set<Integer> indexes) throws OsException {
        clear(device);
        socket.change(request(NEW_QDISC, NetlinkHeader.CREATE, device, CLSACT_HANDLE, CLSACT, 0)
                .putString(TCA_KIND, "clsact"));
        addTable(device);
        addWayToTable(device);
        for (int index : indexes) {
            add(device, index);
        }
    }

    private void clear(int device) throws OsException {
        try {
            socket.change(request(DELETE_FILTER, 0, device, 0, EGRESS, PREFERENCE));
        } catch (OsException e) {
            // No such filters, or no place for any.
            if (e.errno() != OsException.ENOENT && e.errno() != OsException.EINVAL) {
                throw e;
            }
        }
    }

    private void addTable(int device) throws OsException {
        NetlinkWriter request = filter(device, TABLE);
        int options = request.beginAttribute(TCA_OPTIONS);
        request.putInt(TCA_U32_DIVISOR, 1);
        socket.change(request.endAttribute(options));
    }

    private void addWayToTable(int device) throws OsException {
        NetlinkWriter request = filter(device, 0);
        int options = request.beginAttribute(TCA_OPTIONS);
        request.putInt(TCA_U32_LINK, TABLE);
        writeSelector(request, (byte) 0, networkOrder(0xffff), networkOrder(prefix), PREFIX_AT);
        socket.change(request.endAttribute(options));
    }

    /** Adds one device. */
    public void add(int device, int index) throws OsException {
        NetlinkWriter request = filter(device, 0);
        int options = request.beginAttribute(TCA_OPTIONS);
        request.putInt(TCA_U32_HASH, TABLE);
        writeSelector(request, TERMINAL, -1, index, INDEX_AT);
        int actions = request.beginAttribute(TCA_U32_ACT);
        int first = request.beginAttribute(1);
        request.putString(TCA_ACT_KIND, "mirred");
        int settings = request.beginAttribute(TCA_ACT_OPTIONS);
        int parameters = request.beginAttribute(TCA_MIRRED_PARMS);
        request.putZeros(8)
                .room(20)
                .putInt(STOLEN)
                .putInt(0)
                .putInt(0)
                .putInt(INGRESS_REDIRECT)
                .putInt(index);
        request.endAttribute(parameters)
                .endAttribute(settings)
                .endAttribute(first)
                .endAttribute(actions);
        socket.change(request.endAttribute(options));
    }

    /** With one key: mask and value are what is in memory. */
    private static void writeSelector(NetlinkWriter request, byte flags, int mask, int value, int at) {
        int selector = request.beginAttribute(TCA_U32_SEL);
        ByteBuffer bytes = request.room(SELECTOR_BYTES + KEY_BYTES);
        bytes.put(flags).put((byte) 0).put((byte) 1).put((byte) 0);
        bytes.putInt(0).putInt(0).putInt(0);
        bytes.putInt(mask).putInt(value).putInt(at).putInt(0);
        request.endAttribute(selector);
    }

    private static int networkOrder(int number) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? number : Integer.reverseBytes(number);
    }

    private NetlinkWriter filter(int device, int handle) {
        int protocol = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? ALL_PROTOCOLS : ALL_PROTOCOLS << 8;
        int flags = NetlinkHeader.CREATE | NetlinkHeader.EXCLUSIVE;
        return request(NEW_FILTER, flags, device, handle, EGRESS, PREFERENCE | protocol)
                .putString(TCA_KIND, "u32");
    }

    private NetlinkWriter request(int type, int flags, int device, int handle, int parent, int info) {
        NetlinkWriter request = socket.request(type, flags);
        writeHeader(request, device, handle, parent, info);
        return request;
    }

    /** {@code struct tcmsg}. */
    private static void writeHeader(NetlinkWriter out, int device, int handle, int parent, int info) {
        out.room(HEADER_BYTES)
                .putInt(0)
                .putInt(device)
                .putInt(handle)
                .putInt(parent)
                .putInt(info);
    }
}
