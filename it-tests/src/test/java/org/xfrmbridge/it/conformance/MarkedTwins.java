package org.xfrmbridge.it.conformance;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/** States of one name whose marks overlap, and requests that mean one of them. */
final class MarkedTwins {
    private static final StateId ID = new StateId(Address.parse("192.0.2.2"), 0x1300, IpProtocol.ESP);
    private static final Address SOURCE = Address.parse("192.0.2.1");

    /** In this order each may come beside those before it; others may not. */
    private static final Mark[] MARKS = {new Mark(3, 0xf), new Mark(1, 1), Mark.NONE};

    private final Dice dice;
    private final RequestMaker maker;
    private final boolean states;

    /** @param states whether the kernel has any but larval ones */
    MarkedTwins(Dice dice, RequestMaker maker, boolean states) {
        this.dice = dice;
        this.maker = maker;
        this.states = states;
    }

    List<Draft> requests() {
        List<Draft> requests = new ArrayList<>();
        for (Mark mark : MARKS) {
            if (!dice.oneIn(3)) {
                requests.add(
                        marked(states ? maker.state(XfrmMessage.NEWSA, info(), AddressFamily.INET) : larval(), mark));
            }
        }
        for (int i = 2 + dice.below(3); i > 0; i--) {
            requests.add(marked(named(), dice.oneIn(4) ? new Mark(1, 0xf) : dice.choose(MARKS)));
        }
        requests.add(Draft.of(XfrmMessage.GETSA, 0, out -> {}).flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP));
        return requests;
    }

    private static UsersaInfo info() {
        return UsersaInfo.builder()
                .selector(Selector.any(0))
                .id(ID)
                .saddr(SOURCE)
                .lifetime(Lifetime.UNLIMITED)
                .current(new LifetimeCurrent(0, 0, 0, 0))
                .stats(new UsersaInfo.Stats(0, 0, 0))
                .seq(0)
                .reqid(1)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL.number())
                .replayWindow(0)
                .flags(0)
                .build();
    }

    private static Draft larval() {
        return Draft.of(
                XfrmMessage.ALLOCSPI, UserspiInfo.BYTES, out -> new UserspiInfo(info(), ID.spi(), ID.spi()).write(out));
    }

    private Draft named() {
        UsersaId id = new UsersaId(ID, AddressFamily.INET);
        int type = dice.pick(
                XfrmMessage.GETSA,
                XfrmMessage.GETSA,
                XfrmMessage.DELSA,
                XfrmMessage.GETAE,
                XfrmMessage.EXPIRE,
                XfrmMessage.UPDSA);
        return switch (type) {
            case XfrmMessage.GETAE -> Draft.of(type, AeventId.BYTES, out -> new AeventId(id, SOURCE, 0, 0).write(out));
            case XfrmMessage.EXPIRE ->
                Draft.of(type, UserExpire.BYTES, out -> new UserExpire(info(), dice.pick(0, 1)).write(out));
            case XfrmMessage.UPDSA -> maker.state(type, info(), AddressFamily.INET);
            default -> Draft.of(type, UsersaId.BYTES, id::write);
        };
    }

    private static Draft marked(Draft draft, Mark mark) {
        if (!mark.isNone()) {
            draft.set(XfrmAttribute.MARK, Draft.struct(Structs.MARK_BYTES, out -> Structs.writeMark(out, mark)));
        }
        return draft;
    }
}
