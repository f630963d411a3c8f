package org.xfrmbridge.it.conformance;

import java.util.List;
import java.util.stream.Stream;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;

/**
 * What one client sends, beginning with empty tables. Its PF_KEY socket, if it uses one, is a new one.
 *
 * @param capAck whether it sets NETLINK_CAP_ACK
 * @param extAck whether it sets NETLINK_EXT_ACK
 */
record Sequence(int number, boolean capAck, boolean extAck, List<Datagram> datagrams) {
    /** Brings everything back to what a fresh network namespace has. */
    static final List<byte[]> RESET = reset();

    boolean uses(Protocol protocol) {
        return datagrams.stream().anyMatch(datagram -> datagram.protocol() == protocol);
    }

    private static List<byte[]> reset() {
        Draft sub = Draft.of(XfrmMessage.FLUSHPOLICY, 0, out -> {})
                .with(XfrmAttribute.POLICY_TYPE, new byte[] {1, 0, 0, 0, 0, 0});
        Draft thresholds = Draft.of(XfrmMessage.NEWSPDINFO, 4, out -> {})
                .with(XfrmAttribute.SPD_IPV4_HTHRESH, new byte[] {32, 32})
                .with(XfrmAttribute.SPD_IPV6_HTHRESH, new byte[] {(byte) 128, (byte) 128});
        Defaults accept = new Defaults(2, 2, 2);
        return Stream.of(
                        Draft.of(XfrmMessage.FLUSHPOLICY, 0, out -> {}),
                        sub,
                        Draft.of(XfrmMessage.FLUSHSA, 1, out -> {}),
                        thresholds,
                        Draft.of(
                                XfrmMessage.SETDEFAULT,
                                UserpolicyDefault.BYTES,
                                out -> UserpolicyDefault.write(out, accept)))
                .map(draft -> draft.flags(NetlinkHeader.REQUEST).toBytes(1, 0))
                .toList();
    }
}
