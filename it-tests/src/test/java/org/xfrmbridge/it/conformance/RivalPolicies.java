package org.xfrmbridge.it.conformance;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.netlink.msg.UserMigrate;
import org.xfrmbridge.netlink.msg.UserTmpl;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * Policies that all match one flow, and MIGRATE for that flow: it moves the one that traffic would take, and a dump
 * shows which that was. Without packets no other request tells who wins, by priority, by age, exact or by prefix.
 */
final class RivalPolicies {
    private static final int REQID = 3;

    private final Dice dice;
    private final int family;
    private final Address source;
    private final Address destination;
    private final Address moved;

    RivalPolicies(Dice dice) {
        this.dice = dice;
        boolean ipv6 = dice.oneIn(3);
        family = ipv6 ? AddressFamily.INET6 : AddressFamily.INET;
        source = Address.parse(ipv6 ? "2001:db8::1" : "192.0.2.1");
        destination = Address.parse(ipv6 ? "2001:db8::2" : "192.0.2.2");
        moved = Address.parse(ipv6 ? "2001:db8:1::7" : "198.51.100.7");
    }

    List<Draft> requests() {
        List<Draft> requests = new ArrayList<>();
        int rivals = 2 + dice.below(3);
        for (int i = 0; i < rivals; i++) {
            requests.add(policy());
        }
        requests.add(migrate());
        requests.add(Draft.of(XfrmMessage.GETPOLICY, 0, out -> {}).flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP));
        return requests;
    }

    private Selector selector(int sourcePrefix, int destinationPrefix) {
        return Selector.of(family)
                .saddr(source, sourcePrefix)
                .daddr(destination, destinationPrefix)
                .build();
    }

    private int prefix() {
        int bits = AddressFamily.bits(family);
        return dice.pick(bits, bits, bits - 1, bits - 8, 24, 8, 0);
    }

    private Draft policy() {
        UserpolicyInfo info = new UserpolicyInfo(
                selector(prefix(), prefix()),
                Lifetime.UNLIMITED,
                new LifetimeCurrent(0, 0, 0, 0),
                dice.pick(0, 1, 100, 100, 2000, -1, 0x80000000),
                0,
                Direction.OUT.number(),
                0,
                0,
                0);
        UserTmpl template = UserTmpl.builder()
                .id(new StateId(destination, 0, IpProtocol.ESP))
                .family(family)
                .saddr(source)
                .reqid(REQID)
                .mode(Mode.TUNNEL.number())
                .share(0)
                .optional(0)
                .authMask(-1)
                .cipherMask(-1)
                .compressionMask(-1)
                .build();
        return Draft.of(dice.pick(XfrmMessage.NEWPOLICY, XfrmMessage.UPDPOLICY), UserpolicyInfo.BYTES, info::write)
                .with(XfrmAttribute.TMPL, Draft.struct(UserTmpl.BYTES, template::write));
    }

    private Draft migrate() {
        int bits = AddressFamily.bits(family);
        UserpolicyId traffic = new UserpolicyId(selector(bits, bits), 0, Direction.OUT.number());
        Move move = new Move(
                destination,
                source,
                moved,
                source,
                IpProtocol.ESP,
                Mode.TUNNEL.number(),
                dice.pick(REQID, 0),
                family,
                family);
        return Draft.of(XfrmMessage.MIGRATE, UserpolicyId.BYTES, traffic::write)
                .with(XfrmAttribute.MIGRATE, Draft.struct(UserMigrate.BYTES, out -> UserMigrate.write(out, move)));
    }
}
