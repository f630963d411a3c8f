package org.xfrmbridge.it.conformance;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.UserMigrate;
import org.xfrmbridge.netlink.msg.UserTmpl;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
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
 * A policy, the states it wants with whatever attributes, MIGRATE that moves both, and a look at what is there then: as
 * {@link PfkeyRelocation}, through netlink.
 */
final class Relocation {
    private static final int FIRST_SPI = 0x1000;
    private static final int REQID = 3;
    private static final LifetimeCurrent NO_USE = new LifetimeCurrent(0, 0, 0, 0);
    private static final String[] IPV4 = {"192.0.2.1", "192.0.2.2", "198.51.100.7", "198.51.100.8"};
    private static final String[] IPV6 = {"2001:db8::1", "2001:db8::2", "2001:db8:1::7", "2001:db8:1::8"};

    private final Dice dice;
    private final RequestMaker maker;
    private final int family;
    private final int newFamily;
    private final int mode;
    private final int ifId;
    private final UserpolicyId traffic;
    private final Address source;
    private final Address destination;
    private final Address newSource;
    private final Address newDestination;

    Relocation(Dice dice, RequestMaker maker) {
        this.dice = dice;
        this.maker = maker;
        family = dice.pick(AddressFamily.INET, AddressFamily.INET, AddressFamily.INET6);
        newFamily = dice.oneIn(6) ? dice.pick(AddressFamily.INET, AddressFamily.INET6) : family;
        mode = dice.pick(Mode.TRANSPORT.number(), Mode.TUNNEL.number(), Mode.TUNNEL.number(), Mode.BEET.number());
        ifId = dice.oneIn(6) ? 9 : 0;
        source = address(family, 0);
        destination = address(family, 1);
        newSource = address(newFamily, dice.pick(0, 2, 2));
        newDestination = address(newFamily, dice.pick(1, 3));
        int bits = AddressFamily.bits(family);
        Selector selector = Selector.of(family)
                .saddr(source, dice.pick(bits, 24, 0))
                .daddr(destination, dice.pick(bits, 24, 0))
                .protocol(dice.pick(0, 0, IpProtocol.UDP))
                .build();
        traffic = new UserpolicyId(selector, 0, dice.choose(Direction.values()).number());
    }

    private static Address address(int family, int number) {
        return Address.parse(family == AddressFamily.INET6 ? IPV6[number] : IPV4[number]);
    }

    List<Draft> requests() {
        List<Draft> requests = new ArrayList<>();
        requests.add(withInterface(policy()));
        for (int i = dice.below(4); i > 0; i--) {
            requests.add(state(FIRST_SPI + i));
        }
        requests.add(withInterface(migrate()));
        requests.add(dump(XfrmMessage.GETSA));
        requests.add(dump(XfrmMessage.GETPOLICY));
        requests.add(replay());
        return requests;
    }

    private Draft withInterface(Draft draft) {
        return ifId == 0 ? draft : draft.with(XfrmAttribute.IF_ID, Draft.number(ifId));
    }

    private static Draft dump(int type) {
        return Draft.of(type, 0, out -> {}).flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP);
    }

    private Draft policy() {
        UserpolicyInfo info = new UserpolicyInfo(
                traffic.selector(), Lifetime.UNLIMITED, NO_USE, dice.pick(0, 100), 0, traffic.direction(), 0, 0, 0);
        UserTmpl template = UserTmpl.builder()
                .id(new StateId(destination, 0, IpProtocol.ESP))
                .family(family)
                .saddr(source)
                .reqid(dice.pick(REQID, REQID, 0))
                .mode(mode)
                .share(0)
                .optional(0)
                .authMask(-1)
                .cipherMask(-1)
                .compressionMask(-1)
                .build();
        return Draft.of(XfrmMessage.NEWPOLICY, UserpolicyInfo.BYTES, info::write)
                .with(XfrmAttribute.TMPL, Draft.struct(UserTmpl.BYTES, template::write));
    }

    /** Mostly one that moves. */
    private Draft state(int spi) {
        StateId id = new StateId(destination, spi, IpProtocol.ESP);
        UsersaInfo info = UsersaInfo.builder()
                .selector(Selector.any(0))
                .id(id)
                .saddr(source)
                .lifetime(Lifetime.UNLIMITED)
                .current(NO_USE)
                .stats(new UsersaInfo.Stats(0, 0, 0))
                .seq(dice.pick(0, 5))
                .reqid(dice.pick(REQID, REQID, REQID, 4))
                .family(family)
                .mode(mode)
                .replayWindow(dice.pick(0, 32))
                .flags(dice.oneIn(3) ? dice.pick(1, 2, 4, 32, 128) : 0)
                .build();
        Draft draft = maker.state(XfrmMessage.NEWSA, info, family);
        if (ifId != 0) {
            draft.set(XfrmAttribute.IF_ID, Draft.number(ifId));
        }
        return draft;
    }

    private Draft migrate() {
        Move move = new Move(
                destination,
                source,
                newDestination,
                newSource,
                IpProtocol.ESP,
                mode,
                dice.pick(REQID, REQID, 0),
                family,
                newFamily);
        Draft draft = Draft.of(XfrmMessage.MIGRATE, UserpolicyId.BYTES, traffic::write)
                .with(XfrmAttribute.MIGRATE, Draft.struct(UserMigrate.BYTES, out -> UserMigrate.write(out, move)));
        for (int option : new int[] {XfrmAttribute.KMADDRESS, XfrmAttribute.ENCAP}) {
            if (dice.oneIn(3)) {
                draft.with(option, maker.payload(option, family));
            }
        }
        return draft;
    }

    /** Of a state under its new name. */
    private Draft replay() {
        UsersaId id = new UsersaId(new StateId(newDestination, FIRST_SPI + 1, IpProtocol.ESP), newFamily);
        return Draft.of(XfrmMessage.GETAE, AeventId.BYTES, out -> new AeventId(id, newSource, 0, 0).write(out));
    }
}
