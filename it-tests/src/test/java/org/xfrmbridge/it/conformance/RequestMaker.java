package org.xfrmbridge.it.conformance;

import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserReport;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.text.VolatileField;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/** One request of each type: right in form, and mostly one a client could mean. */
final class RequestMaker {
    private static final LifetimeCurrent NO_USE = new LifetimeCurrent(0, 0, 0, 0);
    private static final int[] STATE_OPTIONS = {
        XfrmAttribute.ENCAP,
        XfrmAttribute.REPLAY_VAL,
        XfrmAttribute.REPLAY_THRESH,
        XfrmAttribute.ETIMER_THRESH,
        XfrmAttribute.COADDR,
        XfrmAttribute.MARK,
        XfrmAttribute.TFCPAD,
        XfrmAttribute.SA_EXTRA_FLAGS,
        XfrmAttribute.SET_MARK,
        XfrmAttribute.SET_MARK_MASK,
        XfrmAttribute.IF_ID,
        XfrmAttribute.MTIMER_THRESH,
        XfrmAttribute.LTIME_VAL,
        XfrmAttribute.SEC_CTX,
        XfrmAttribute.OFFLOAD_DEV,
        XfrmAttribute.SA_DIR,
        XfrmAttribute.NAT_KEEPALIVE_INTERVAL,
        XfrmAttribute.SA_PCPU,
        XfrmAttribute.IPTFS_DROP_TIME,
        XfrmAttribute.IPTFS_REORDER_WINDOW,
        XfrmAttribute.IPTFS_DONT_FRAG,
        XfrmAttribute.IPTFS_INIT_DELAY,
        XfrmAttribute.IPTFS_MAX_QSIZE,
        XfrmAttribute.IPTFS_PKT_SIZE
    };

    private final Dice dice;
    private final Pools pools;
    private final Payloads payloads;
    private final int maxAttribute;

    RequestMaker(Dice dice, int maxAttribute) {
        this.dice = dice;
        this.maxAttribute = maxAttribute;
        pools = new Pools(dice);
        payloads = new Payloads(dice, pools, maxAttribute);
    }

    Draft make(int type) {
        int family = dice.oneIn(30)
                ? pools.family()
                : dice.pick(AddressFamily.INET, AddressFamily.INET, AddressFamily.INET6);
        return switch (type) {
            case XfrmMessage.NEWSA, XfrmMessage.UPDSA -> state(type, family);
            case XfrmMessage.ALLOCSPI -> allocateSpi(family);
            case XfrmMessage.DELSA, XfrmMessage.GETSA -> stateName(type, family);
            case XfrmMessage.EXPIRE -> {
                UsersaInfo info = info(family);
                yield withOptions(
                        Draft.of(type, UserExpire.BYTES, out -> new UserExpire(info, dice.pick(0, 0, 1)).write(out)),
                        family,
                        XfrmAttribute.MARK);
            }
            case XfrmMessage.NEWAE, XfrmMessage.GETAE -> aevent(type, family);
            case XfrmMessage.FLUSHSA -> {
                int protocol = dice.oneIn(4) ? dice.edge() : dice.pick(0, 50, 51, 255);
                yield Draft.of(type, 1, out -> out.put((byte) protocol));
            }
            case XfrmMessage.NEWPOLICY, XfrmMessage.UPDPOLICY -> policy(type, family);
            case XfrmMessage.DELPOLICY, XfrmMessage.GETPOLICY -> policyName(type, family);
            case XfrmMessage.MIGRATE_STATE -> migrateState(family);
            default -> other(type, family);
        };
    }

    private Draft other(int type, int family) {
        return switch (type) {
            case XfrmMessage.POLEXPIRE -> {
                UserpolicyInfo info = policyInfo(family);
                yield withOptions(
                        Draft.of(
                                type,
                                UserPolexpire.BYTES,
                                out -> new UserPolexpire(info, dice.pick(0, 0, 1)).write(out)),
                        family,
                        XfrmAttribute.MARK,
                        XfrmAttribute.IF_ID,
                        XfrmAttribute.POLICY_TYPE);
            }
            case XfrmMessage.ACQUIRE -> acquire(family);
            case XfrmMessage.MIGRATE -> migrate(family);
            case XfrmMessage.FLUSHPOLICY ->
                withOptions(Draft.of(type, 0, out -> {}), family, XfrmAttribute.POLICY_TYPE);
            case XfrmMessage.REPORT -> {
                Selector selector = pools.selector(family);
                yield Draft.of(type, UserReport.BYTES, out -> new UserReport(60, selector).write(out));
            }
            case XfrmMessage.MAPPING -> {
                UsersaId id = new UsersaId(pools.id(family), family);
                yield Draft.of(
                        type,
                        UserMapping.BYTES,
                        out -> new UserMapping(id, 1, Address.ANY, Address.ANY, 1, 2).write(out));
            }
            case XfrmMessage.NEWSPDINFO -> thresholds();
            case XfrmMessage.SETDEFAULT -> {
                Defaults defaults = new Defaults(verdict(), verdict(), verdict());
                yield Draft.of(type, UserpolicyDefault.BYTES, out -> UserpolicyDefault.write(out, defaults));
            }
            case XfrmMessage.GETDEFAULT -> Draft.of(type, UserpolicyDefault.BYTES, out -> {});
            default -> Draft.of(type, Integer.BYTES, out -> out.putInt(dice.edge()));
        };
    }

    private int verdict() {
        return dice.oneIn(5) ? dice.edge() : dice.pick(0, 1, 2);
    }

    /** Each of the attributes now and then; those the kernel is too old for never. */
    private Draft withOptions(Draft draft, int family, int... types) {
        for (int type : types) {
            if (type <= maxAttribute && dice.oneIn(8)) {
                draft.with(type, payloads.of(type, family));
            }
        }
        return draft;
    }

    private void put(Draft draft, int type, int family) {
        draft.with(type, payloads.of(type, family));
    }

    byte[] payload(int type, int family) {
        return payloads.of(type, family);
    }

    private UsersaInfo info(int family) {
        int mode = payloads.mode();
        StateId id = pools.id(family);
        Selector selector = dice.oneIn(4) ? pools.selector(family) : Selector.any(0);
        int flags = dice.oneIn(3) ? dice.pick(1, 2, 4, 8, 16, 32, 64, 128, 255) : 0;
        return UsersaInfo.builder()
                .selector(selector)
                .id(id)
                .saddr(pools.usualAddress(family))
                .lifetime(pools.lifetime())
                .current(NO_USE)
                .stats(new UsersaInfo.Stats(0, 0, 0))
                .seq(pools.acquireSequence())
                .reqid(pools.reqid())
                .family(family)
                .mode(mode)
                .replayWindow(dice.pick(0, 0, 32, 32, 255))
                .flags(flags)
                .build();
    }

    private Draft state(int type, int family) {
        return state(type, info(family), family);
    }

    /** With what the protocol wants, and other attributes at random. */
    Draft state(int type, UsersaInfo info, int family) {
        Draft draft = Draft.of(type, UsersaInfo.BYTES, info::write);
        putTransform(draft, info.id().protocol(), family);
        if ((info.flags() & 128) != 0 && !dice.oneIn(6) || dice.oneIn(10)) {
            put(draft, XfrmAttribute.REPLAY_ESN_VAL, family);
        }
        if (maxAttribute >= XfrmAttribute.SA_DIR && dice.oneIn(3)) {
            put(draft, XfrmAttribute.SA_DIR, family);
            return withCompany(withOptions(draft, family, STATE_OPTIONS), family);
        }
        return dice.oneIn(3) ? draft : withCompany(withOptions(draft, family, STATE_OPTIONS), family);
    }

    /** Attributes that other attributes change the meaning of. */
    private Draft withCompany(Draft draft, int family) {
        if (draft.has(XfrmAttribute.OFFLOAD_DEV) && !draft.has(XfrmAttribute.IF_ID) && dice.oneIn(2)) {
            put(draft, XfrmAttribute.IF_ID, family);
        }
        return draft;
    }

    /** The algorithms a protocol wants. */
    private void putTransform(Draft draft, int protocol, int family) {
        switch (protocol) {
            case IpProtocol.AH -> putAuth(draft, family);
            case IpProtocol.COMP -> put(draft, XfrmAttribute.ALG_COMP, family);
            case IpProtocol.DSTOPTS, IpProtocol.ROUTING -> put(draft, XfrmAttribute.COADDR, family);
            default -> {
                if (dice.oneIn(2)) {
                    put(draft, XfrmAttribute.ALG_AEAD, family);
                } else {
                    put(draft, XfrmAttribute.ALG_CRYPT, family);
                    putAuth(draft, family);
                }
            }
        }
    }

    /** In one of its forms or in both, which need not be alike. */
    private void putAuth(Draft draft, int family) {
        boolean both = dice.oneIn(4);
        if (both) {
            draft.with(
                    XfrmAttribute.ALG_AUTH_TRUNC,
                    dice.oneIn(2) ? payloads.truncated("cmac(aes)") : payload(XfrmAttribute.ALG_AUTH_TRUNC, family));
        }
        put(
                draft,
                both ? XfrmAttribute.ALG_AUTH : dice.pick(XfrmAttribute.ALG_AUTH, XfrmAttribute.ALG_AUTH_TRUNC),
                family);
    }

    private Draft allocateSpi(int family) {
        UsersaInfo info = info(family);
        boolean chosen = dice.oneIn(4);
        boolean comp = info.id().protocol() == IpProtocol.COMP;
        int one = dice.oneIn(8) ? dice.pick(0, 1, 0xff, 0xffff, 0x10000, -1) : dice.pick(0x1000, 0x1001);
        int min = chosen ? (comp ? VolatileField.CHOSEN_COMP_SPI_MIN : VolatileField.CHOSEN_SPI_MIN) : one;
        int max = chosen
                ? (comp ? VolatileField.CHOSEN_COMP_SPI_MAX : VolatileField.CHOSEN_SPI_MAX)
                : dice.oneIn(20) ? one - 1 : one;
        Draft draft =
                Draft.of(XfrmMessage.ALLOCSPI, UserspiInfo.BYTES, out -> new UserspiInfo(info, min, max).write(out));
        return withOptions(
                draft, family, XfrmAttribute.MARK, XfrmAttribute.IF_ID, XfrmAttribute.SA_DIR, XfrmAttribute.SA_PCPU);
    }

    private Draft stateName(int type, int family) {
        if (type == XfrmMessage.GETSA && dice.oneIn(3)) {
            return stateDump(family);
        }
        UsersaId id = new UsersaId(pools.id(family), family);
        return withOptions(
                Draft.of(type, UsersaId.BYTES, id::write), family, XfrmAttribute.MARK, XfrmAttribute.SRCADDR);
    }

    private Draft stateDump(int family) {
        Draft draft = Draft.of(XfrmMessage.GETSA, 0, out -> {}).flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP);
        return withOptions(draft, family, XfrmAttribute.PROTO, XfrmAttribute.ADDRESS_FILTER);
    }

    private Draft aevent(int type, int family) {
        UsersaId id = new UsersaId(pools.id(family), family);
        int flags = dice.oneIn(5) ? dice.edge() : dice.pick(0, 1, 6, 8, 15);
        Address saddr = pools.usualAddress(family);
        int reqid = pools.reqid();
        Draft draft = Draft.of(type, AeventId.BYTES, out -> new AeventId(id, saddr, flags, reqid).write(out));
        if (type == XfrmMessage.NEWAE) {
            draft.flags |= dice.oneIn(8) ? 0 : NetlinkHeader.REPLACE;
            int[] parts = {
                XfrmAttribute.REPLAY_VAL,
                XfrmAttribute.REPLAY_ESN_VAL,
                XfrmAttribute.LTIME_VAL,
                XfrmAttribute.REPLAY_THRESH,
                XfrmAttribute.ETIMER_THRESH,
                XfrmAttribute.MTIMER_THRESH
            };
            for (int part : parts) {
                if (dice.oneIn(3)) {
                    put(draft, part, family);
                }
            }
        }
        return withOptions(draft, family, XfrmAttribute.MARK);
    }

    private UserpolicyInfo policyInfo(int family) {
        int direction = dice.oneIn(25) ? dice.pick(3, 4, 7, 255) : dice.pick(0, 1, 1, 2);
        int index = dice.oneIn(5)
                ? VolatileField.FIRST_NAMED_INDEX + 8 * dice.below(2) + (dice.oneIn(8) ? dice.below(8) : direction)
                : 0;
        Selector selector = pools.selector(family);
        Lifetime lifetime = pools.lifetime();
        return new UserpolicyInfo(
                selector,
                lifetime,
                NO_USE,
                dice.pick(0, 100, 100, 2000, -1),
                index,
                direction,
                dice.oneIn(25) ? dice.edge() : dice.pick(0, 0, 1),
                dice.pick(0, 0, 1, 2, 4, 255),
                dice.oneIn(20) ? dice.edge() : dice.pick(0, 3));
    }

    private Draft policy(int type, int family) {
        UserpolicyInfo info = policyInfo(family);
        Draft draft = Draft.of(type, UserpolicyInfo.BYTES, info::write);
        if (!dice.oneIn(4)) {
            put(draft, XfrmAttribute.TMPL, family);
        }
        return withOptions(
                draft,
                family,
                XfrmAttribute.MARK,
                XfrmAttribute.IF_ID,
                XfrmAttribute.POLICY_TYPE,
                XfrmAttribute.SEC_CTX);
    }

    private Draft policyName(int type, int family) {
        UserpolicyInfo info = policyInfo(family);
        UserpolicyId id = new UserpolicyId(info.selector(), info.index(), info.direction());
        Draft draft = Draft.of(type, UserpolicyId.BYTES, id::write);
        if (type == XfrmMessage.GETPOLICY && dice.oneIn(3)) {
            draft.flags(NetlinkHeader.REQUEST | NetlinkHeader.DUMP);
        }
        return withOptions(
                draft,
                family,
                XfrmAttribute.MARK,
                XfrmAttribute.IF_ID,
                XfrmAttribute.POLICY_TYPE,
                XfrmAttribute.SEC_CTX);
    }

    private Draft acquire(int family) {
        StateId id = pools.id(family);
        Address saddr = pools.usualAddress(family);
        Selector selector = pools.selector(family);
        UserpolicyInfo info = policyInfo(family);
        int sequence = pools.acquireSequence();
        int masks = dice.edge();
        Draft draft = Draft.of(
                XfrmMessage.ACQUIRE,
                UserAcquire.BYTES,
                out -> new UserAcquire(id, saddr, selector, info, masks, -1, 3, sequence).write(out));
        if (!dice.oneIn(8)) {
            put(draft, XfrmAttribute.TMPL, family);
        }
        return withOptions(
                draft,
                family,
                XfrmAttribute.MARK,
                XfrmAttribute.IF_ID,
                XfrmAttribute.POLICY_TYPE,
                XfrmAttribute.SEC_CTX);
    }

    private Draft migrate(int family) {
        UserpolicyInfo info = policyInfo(family);
        UserpolicyId id = new UserpolicyId(info.selector(), 0, info.direction());
        Draft draft = Draft.of(XfrmMessage.MIGRATE, UserpolicyId.BYTES, id::write);
        if (!dice.oneIn(10)) {
            put(draft, XfrmAttribute.MIGRATE, family);
        }
        return withOptions(
                draft,
                family,
                XfrmAttribute.KMADDRESS,
                XfrmAttribute.ENCAP,
                XfrmAttribute.IF_ID,
                XfrmAttribute.POLICY_TYPE,
                XfrmAttribute.OFFLOAD_DEV);
    }

    private Draft migrateState(int family) {
        int newFamily = dice.oneIn(20) ? pools.family() : family;
        UserMigrateState wanted = new UserMigrateState(
                new UsersaId(pools.id(family), family),
                pools.usualAddress(newFamily),
                pools.usualAddress(newFamily),
                dice.oneIn(4) ? pools.mark() : Mark.NONE,
                dice.oneIn(3) ? pools.selector(newFamily) : Selector.any(newFamily),
                pools.reqid(),
                dice.oneIn(8) ? dice.edge() : dice.pick(0, 0, 1, 2),
                newFamily,
                dice.oneIn(20) ? 1 : 0);
        return withOptions(
                Draft.of(XfrmMessage.MIGRATE_STATE, UserMigrateState.BYTES, wanted::write),
                family,
                XfrmAttribute.MARK,
                XfrmAttribute.ENCAP,
                XfrmAttribute.OFFLOAD_DEV,
                XfrmAttribute.SET_MARK,
                XfrmAttribute.SET_MARK_MASK,
                XfrmAttribute.MTIMER_THRESH,
                XfrmAttribute.NAT_KEEPALIVE_INTERVAL);
    }

    private Draft thresholds() {
        Draft draft = Draft.of(XfrmMessage.NEWSPDINFO, Integer.BYTES, out -> out.putInt(dice.edge()));
        for (int type : new int[] {XfrmAttribute.SPD_IPV4_HTHRESH, XfrmAttribute.SPD_IPV6_HTHRESH}) {
            if (!dice.oneIn(3)) {
                int local = dice.pick(0, 16, 32, 33, 128, 129);
                int remote = dice.pick(0, 24, 32, 64);
                draft.with(type, Draft.struct(2, out -> out.put((byte) local).put((byte) remote)));
            }
        }
        return draft;
    }
}
