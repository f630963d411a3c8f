package org.xfrmbridge.it.conformance;

import java.util.Arrays;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.xfrm.AddressFamily;

/** Makes one thing of a request wrong, odd or merely unusual. */
final class Spoiler {
    /** Numbers that no version has given a meaning. */
    private static final int[] UNKNOWN_ATTRIBUTES = {42, 60, 200, 0x3fff};

    private final Dice dice;
    private final RequestMaker maker;
    private final int maxAttribute;

    Spoiler(Dice dice, RequestMaker maker, int maxAttribute) {
        this.dice = dice;
        this.maker = maker;
        this.maxAttribute = maxAttribute;
    }

    void spoil(Draft draft) {
        switch (dice.below(12)) {
            case 0 -> dropAttribute(draft);
            case 1 -> draft.with(anyAttribute(), maker.payload(anyAttribute(), AddressFamily.INET));
            case 2, 3 -> addAttribute(draft);
            case 4 -> resizeAttribute(draft);
            case 5 -> edgeAttribute(draft);
            case 6 -> flagAttribute(draft);
            case 7 -> edgeFixed(draft);
            case 8 -> resizeFixed(draft);
            case 9 -> draft.tail = dice.bytes(dice.pick(1, 2, 3, 4, 5, 8));
            case 10 -> spoilFlags(draft);
            default -> draft.with(dice.pick(UNKNOWN_ATTRIBUTES), dice.bytes(dice.below(12)));
        }
    }

    private int anyAttribute() {
        return 1 + dice.below(maxAttribute);
    }

    private void dropAttribute(Draft draft) {
        if (!draft.attributes.isEmpty()) {
            draft.attributes.remove(dice.below(draft.attributes.size()));
        }
    }

    /** One that may mean nothing here, or be there already. */
    private void addAttribute(Draft draft) {
        int type = anyAttribute();
        draft.with(type, maker.payload(type, dice.pick(AddressFamily.INET, AddressFamily.INET6)));
    }

    private void resizeAttribute(Draft draft) {
        if (draft.attributes.isEmpty()) {
            addAttribute(draft);
        }
        int at = dice.below(draft.attributes.size());
        Draft.Attribute old = draft.attributes.get(at);
        int length = Math.max(0, old.payload().length + dice.pick(-8, -4, -1, -1, 1, 4, 8));
        draft.attributes.set(at, new Draft.Attribute(old.rawType(), Arrays.copyOf(old.payload(), length)));
    }

    private void edgeAttribute(Draft draft) {
        if (draft.attributes.isEmpty()) {
            addAttribute(draft);
        }
        byte[] payload = dice.choose(draft.attributes).payload();
        if (payload.length > 0) {
            payload[dice.below(payload.length)] = (byte) dice.edge();
        }
    }

    /** NLA_F_NESTED and NLA_F_NET_BYTEORDER: bits of the type that are not part of its number. */
    private void flagAttribute(Draft draft) {
        if (!draft.attributes.isEmpty()) {
            int at = dice.below(draft.attributes.size());
            Draft.Attribute old = draft.attributes.get(at);
            draft.attributes.set(
                    at, new Draft.Attribute(old.rawType() | dice.pick(0x8000, 0x4000, 0xc000), old.payload()));
        }
    }

    private void edgeFixed(Draft draft) {
        if (draft.fixed.length > 0) {
            draft.fixed[dice.below(draft.fixed.length)] = (byte) dice.edge();
        }
    }

    private void resizeFixed(Draft draft) {
        int length = Math.max(0, draft.fixed.length + dice.pick(-8, -4, -1, 1, 4, 8));
        draft.fixed = Arrays.copyOf(draft.fixed, length);
    }

    private void spoilFlags(Draft draft) {
        draft.flags = dice.pick(
                NetlinkHeader.REQUEST,
                NetlinkHeader.ACK,
                0,
                draft.flags | NetlinkHeader.ECHO,
                draft.flags | NetlinkHeader.REPLACE,
                draft.flags | NetlinkHeader.EXCLUSIVE,
                draft.flags | NetlinkHeader.CREATE,
                draft.flags | NetlinkHeader.APPEND,
                draft.flags | NetlinkHeader.DUMP,
                draft.flags | NetlinkHeader.MULTI);
        // A number beyond all versions, one of netlink itself, one that only kernels send.
        if (dice.oneIn(6)) {
            draft.type = dice.pick(0, 1, 2, 3, 0xf, 0x40, 0xffff, XfrmMessage.NEWSADINFO);
        }
    }
}
