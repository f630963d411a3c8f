package org.xfrmbridge.it.conformance;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
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
 * Limits from one end of 64 bits to the other: what an update says at once of limits that are reached, and what timers
 * say in a pause. No limit in seconds is one that a second more or less decides.
 */
final class Deadlines {
    /** More than the second after which a kernel looks first. */
    private static final int PAUSE_MS = 1250;

    private static final int FIRST_SPI = 0x1100;
    private static final int NAME_BYTES = 64;
    private static final int AEAD_BYTES = 72;
    private static final int KEY_BYTES = 20;
    private static final Address SOURCE = Address.parse("192.0.2.1");
    private static final Address DESTINATION = Address.parse("192.0.2.2");
    private static final LifetimeCurrent NO_USE = new LifetimeCurrent(0, 0, 0, 0);

    private final Dice dice;
    private final boolean states;

    /** @param states whether the kernel has any */
    Deadlines(Dice dice, boolean states) {
        this.dice = dice;
        this.states = states;
    }

    List<Datagram> requests() {
        List<Draft> drafts = new ArrayList<>();
        int count = 2 + dice.below(4);
        for (int i = 0; i < count; i++) {
            if (states && dice.oneIn(2)) {
                drafts.add(state(XfrmMessage.NEWSA, i));
                drafts.add(state(XfrmMessage.UPDSA, i));
            } else {
                drafts.add(policy(i));
            }
        }
        List<Datagram> datagrams = new ArrayList<>();
        drafts.forEach(draft -> datagrams.add(Datagram.netlink(draft.toBytes(200 + datagrams.size(), 0))));
        if (dice.oneIn(8)) {
            datagrams.add(Datagram.pause(PAUSE_MS));
        }
        for (int type : new int[] {XfrmMessage.GETSA, XfrmMessage.GETPOLICY}) {
            Draft dump = Draft.of(type, 0, out -> {}).flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP);
            datagrams.add(Datagram.netlink(dump.toBytes(200 + datagrams.size(), 0)));
        }
        return datagrams;
    }

    private long seconds() {
        return dice.oneIn(2) ? 0 : dice.oneIn(3) ? dice.pick(1, 3600) : dice.extreme();
    }

    private long amount() {
        return dice.oneIn(2) ? Lifetime.INFINITE : dice.oneIn(2) ? dice.pick(0, 1, 100, 101) : dice.extreme();
    }

    private Lifetime lifetime() {
        return Lifetime.builder()
                .softBytes(amount())
                .hardBytes(amount())
                .softPackets(amount())
                .hardPackets(amount())
                .softAddSeconds(seconds())
                .hardAddSeconds(seconds())
                .softUseSeconds(seconds())
                .hardUseSeconds(seconds())
                .build();
    }

    private Draft policy(int number) {
        Selector selector = Selector.of(AddressFamily.INET)
                .daddr(Address.ofIpv4(0x0a010200 + number), 32)
                .build();
        UserpolicyInfo info = new UserpolicyInfo(selector, lifetime(), NO_USE, 0, 0, Direction.OUT.number(), 0, 0, 0);
        return Draft.of(XfrmMessage.NEWPOLICY, UserpolicyInfo.BYTES, info::write);
    }

    /** One that has been used, or not, and its update. */
    private Draft state(int type, int number) {
        boolean isNew = type == XfrmMessage.NEWSA;
        StateId id = new StateId(DESTINATION, FIRST_SPI + number, IpProtocol.ESP);
        UsersaInfo info = UsersaInfo.builder()
                .selector(Selector.any(0))
                .id(id)
                .saddr(SOURCE)
                .lifetime(isNew && !dice.oneIn(4) ? Lifetime.UNLIMITED : lifetime())
                .current(NO_USE)
                .stats(new UsersaInfo.Stats(0, 0, 0))
                .seq(0)
                .reqid(1)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL.number())
                .replayWindow(32)
                .flags(0)
                .build();
        Draft draft = Draft.of(type, UsersaInfo.BYTES, info::write).with(XfrmAttribute.ALG_AEAD, aead());
        LifetimeCurrent usage = new LifetimeCurrent(dice.pick(0, 100), dice.pick(0, 1), 0, dice.pick(0, 2));
        if (isNew && !dice.oneIn(3)) {
            draft.with(
                    XfrmAttribute.LTIME_VAL,
                    Draft.struct(Structs.LIFETIME_CURRENT_BYTES, out -> Structs.writeLifetimeCurrent(out, usage)));
        }
        if (dice.oneIn(2)) {
            draft.with(XfrmAttribute.IF_ID, Draft.number(isNew ? 1 : 2));
        }
        return draft;
    }

    private static byte[] aead() {
        byte[] name = "rfc4106(gcm(aes))".getBytes(StandardCharsets.US_ASCII);
        return Draft.struct(
                AEAD_BYTES + KEY_BYTES,
                out -> out.put(name).putInt(NAME_BYTES, 8 * KEY_BYTES).putInt(NAME_BYTES + 4, 128));
    }
}
