package org.xfrmbridge.it.conformance;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * IPComp tunnels with whatever flags, and a look at the State that a kernel puts beside them: by a dump, and by name.
 */
final class CompressedTunnels {
    private static final int CPI = 0x200;

    private final Dice dice;
    private final RequestMaker maker;
    private final int family;
    private final Address source;
    private final Address destination;

    CompressedTunnels(Dice dice, RequestMaker maker) {
        this.dice = dice;
        this.maker = maker;
        boolean ipv6 = !dice.oneIn(3);
        family = ipv6 ? AddressFamily.INET6 : AddressFamily.INET;
        source = Address.parse(ipv6 ? "2001:db8::3" : "192.0.2.3");
        destination = Address.parse(ipv6 ? "2001:db8::2" : "192.0.2.2");
    }

    List<Draft> requests() {
        List<Draft> requests = new ArrayList<>();
        for (int i = dice.pick(1, 1, 1, 2); i > 0; i--) {
            requests.add(tunnel(CPI + i));
        }
        requests.add(Draft.of(XfrmMessage.GETSA, 0, out -> {}).flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP));
        requests.add(beside(dice.pick(XfrmMessage.GETSA, XfrmMessage.DELSA)));
        return requests;
    }

    private Draft tunnel(int cpi) {
        UsersaInfo info = UsersaInfo.builder()
                .selector(Selector.any(0))
                .id(new StateId(destination, cpi, IpProtocol.COMP))
                .saddr(source)
                .lifetime(Lifetime.UNLIMITED)
                .current(new LifetimeCurrent(0, 0, 0, 0))
                .stats(new UsersaInfo.Stats(0, 0, 0))
                .seq(0)
                .reqid(1)
                .family(family)
                .mode(dice.oneIn(4) ? Mode.TRANSPORT.number() : Mode.TUNNEL.number())
                .replayWindow(0)
                .flags(dice.pick(0, 2, 4, 8, 32))
                .build();
        Draft draft = Draft.of(XfrmMessage.NEWSA, UsersaInfo.BYTES, info::write)
                .with(XfrmAttribute.ALG_COMP, maker.payload(XfrmAttribute.ALG_COMP, family));
        for (int option : new int[] {XfrmAttribute.SA_EXTRA_FLAGS, XfrmAttribute.IF_ID, XfrmAttribute.MARK}) {
            if (dice.oneIn(3)) {
                draft.with(option, maker.payload(option, family));
            }
        }
        return draft;
    }

    /** The State beside, by its addresses. */
    private Draft beside(int type) {
        int protocol = family == AddressFamily.INET6 ? IpProtocol.IPV6 : IpProtocol.IPIP;
        UsersaId id = new UsersaId(new StateId(destination, 0, protocol), family);
        return Draft.of(type, UsersaId.BYTES, id::write)
                .with(
                        XfrmAttribute.SRCADDR,
                        Draft.struct(
                                Address.BYTES,
                                out -> out.order(ByteOrder.BIG_ENDIAN)
                                        .putLong(source.high())
                                        .putLong(source.low())));
    }
}
