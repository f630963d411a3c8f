package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.Mark;

/** Whether requests mean States of another mark than those that were made. */
final class StateMarks {
    private static final Set<Integer> MAKERS =
            Set.of(XfrmMessage.NEWSA, XfrmMessage.UPDSA, XfrmMessage.ALLOCSPI, XfrmMessage.MIGRATE_STATE);
    private static final Set<Integer> NAMERS = Set.of(
            XfrmMessage.GETSA,
            XfrmMessage.DELSA,
            XfrmMessage.UPDSA,
            XfrmMessage.NEWAE,
            XfrmMessage.GETAE,
            XfrmMessage.EXPIRE);

    private StateMarks() {}

    /** Whether a request names a State, and one of another mark has been made. */
    static boolean nameAnother(List<Datagram> earlier, NetlinkReader request) {
        Mark named = mark(request);
        boolean isDump = (request.header().flags() & NetlinkHeader.DUMP) == NetlinkHeader.DUMP;
        return !isDump
                && NAMERS.contains(request.header().type())
                && earlier.stream().anyMatch(datagram -> makesAnother(datagram, named));
    }

    /** What PF_KEY makes has none. */
    private static boolean makesAnother(Datagram datagram, Mark named) {
        return datagram.protocol() == Protocol.PF_KEY
                ? !named.isNone()
                : KnownDifference.any(
                        datagram,
                        message -> MAKERS.contains(message.header().type())
                                && !mark(message).equals(named));
    }

    private static Mark mark(NetlinkReader message) {
        ByteBuffer mark = KnownDifference.attributes(message).get(XfrmAttribute.MARK);
        return mark == null || mark.limit() < Structs.MARK_BYTES
                ? Mark.NONE
                : Structs.readMark(mark).sanitized();
    }
}
