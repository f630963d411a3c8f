package org.xfrmbridge.netlink.map;

import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmService.ReplayUpdate;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.ReplayStructs;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserMigrate;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * What a client says in its requests: the other direction of {@link StateDecoder}, {@link PolicyDecoder} and
 * {@link MigrationDecoder}.
 */
public final class RequestEncoder {
    private static final LifetimeCurrent NOTHING = new LifetimeCurrent(0, 0, 0, 0);
    private static final UsersaInfo.Stats NONE_REFUSED = new UsersaInfo.Stats(0, 0, 0);

    private RequestEncoder() {}

    /** The fixed part of NEWSA, UPDSA, and within ALLOCSPI and EXPIRE. */
    public static UsersaInfo info(StateSpec spec) {
        return UsersaInfo.builder()
                .selector(spec.selector())
                .id(spec.id())
                .saddr(spec.saddr())
                .lifetime(spec.lifetime())
                .current(NOTHING)
                .stats(NONE_REFUSED)
                .seq(spec.seq())
                .reqid(spec.reqid())
                .family(spec.family())
                .mode(spec.mode().number())
                .replayWindow(spec.replayWindow())
                .flags(spec.flags())
                .build();
    }

    /** NEWSA and UPDSA. Offload and IP-TFS, which no spec can name, are left out. */
    public static void putState(NetlinkWriter out, StateSpec spec) {
        info(spec).write(out.room(UsersaInfo.BYTES));
        for (StateNumber number : StateNumber.ALL) {
            number.putGiven(out, spec);
        }
        StateEncoder.putCareOfAddress(out, spec);
        putAlgorithms(out, spec);
        StateEncoder.putEncapsulation(out, spec.encapsulation());
        AttributeValues.putMark(out, spec.mark());
        AttributeValues.putOutputMark(out, spec.outputMark());
        putReplay(out, spec.replay(), spec.hasReplayBitmap());
        putUsage(out, spec.usage());
    }

    private static void putAlgorithms(NetlinkWriter out, StateSpec spec) {
        StateEncoder.putAead(out, spec);
        if (spec.auth() != null && !spec.authTruncated()) {
            StateEncoder.putAlgorithm(out, XfrmAttribute.ALG_AUTH, spec.auth());
        } else if (spec.auth() != null) {
            StateEncoder.putAlgorithmWithIcv(out, XfrmAttribute.ALG_AUTH_TRUNC, spec.auth());
        }
        StateEncoder.putEncryption(out, spec);
    }

    private static void putReplay(NetlinkWriter out, ReplayState replay, boolean bitmap) {
        if (replay == null) {
            return;
        }
        int attribute = out.beginAttribute(bitmap ? XfrmAttribute.REPLAY_ESN_VAL : XfrmAttribute.REPLAY_VAL);
        if (bitmap) {
            ReplayStructs.writeReplayEsn(out.room(ReplayStructs.replayEsnBytes(replay)), replay);
        } else {
            ReplayStructs.writeReplay(out.room(ReplayStructs.REPLAY_BYTES), replay);
        }
        out.endAttribute(attribute);
    }

    private static void putUsage(NetlinkWriter out, LifetimeCurrent usage) {
        if (usage != null) {
            int attribute = out.beginAttribute(XfrmAttribute.LTIME_VAL);
            Structs.writeLifetimeCurrent(out.room(Structs.LIFETIME_CURRENT_BYTES), usage);
            out.endAttribute(attribute);
        }
    }

    private static void putThresholds(NetlinkWriter out, long maxDifference, long maxAge) {
        AttributeValues.putIntUnless(out, XfrmAttribute.REPLAY_THRESH, (int) maxDifference, StateSpec.ABSENT);
        AttributeValues.putIntUnless(out, XfrmAttribute.ETIMER_THRESH, (int) maxAge, StateSpec.ABSENT);
    }

    /** The attributes of ALLOCSPI. */
    public static void putLarval(NetlinkWriter out, StateSpec spec) {
        StateEncoder.putExpireAttributes(out, spec);
    }

    /** GETSA and DELSA. */
    public static void putStateKey(NetlinkWriter out, StateKey key) {
        new UsersaId(key.id(), key.family()).write(out.room(UsersaId.BYTES));
        putKeyAttributes(out, key);
    }

    /** The mark, and the source address if it counts. */
    public static void putKeyAttributes(NetlinkWriter out, StateKey key) {
        AttributeValues.putMark(out, key.mark());
        if (key.saddr() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.SRCADDR);
            Structs.writeAddress(out.room(Structs.ADDRESS_BYTES), key.saddr());
            out.endAttribute(attribute);
        }
    }

    /** GETAE. @param flags {@code AE_} bits that ask for the thresholds */
    public static void putAeventId(NetlinkWriter out, StateKey key, int reqid, int flags) {
        Address saddr = key.saddr() == null ? Address.ANY : key.saddr();
        new AeventId(new UsersaId(key.id(), key.family()), saddr, flags, reqid).write(out.room(AeventId.BYTES));
        AttributeValues.putMark(out, key.mark());
    }

    /** NEWAE. */
    public static void putReplayUpdate(NetlinkWriter out, ReplayUpdate update) {
        putAeventId(out, update.key(), update.reqid(), 0);
        putReplay(out, update.replay(), false);
        putReplay(out, update.bitmap(), true);
        putUsage(out, update.usage());
        putThresholds(out, update.replayMaxDifference(), update.replayMaxAge());
        AttributeValues.putIntUnless(
                out, XfrmAttribute.MTIMER_THRESH, (int) update.mappingMaxAgeSeconds(), StateSpec.ABSENT);
    }

    /** MIGRATE_STATE. */
    public static void putStateMigration(NetlinkWriter out, StateMigration migration) {
        StateKey old = migration.state();
        new UserMigrateState(
                        new UsersaId(old.id(), old.family()),
                        migration.daddr(),
                        migration.saddr(),
                        old.mark(),
                        migration.selector(),
                        migration.reqid(),
                        migration.flags(),
                        migration.family(),
                        0)
                .write(out.room(UserMigrateState.BYTES));
        StateEncoder.putEncapsulation(out, migration.encapsulation());
        if (migration.mark() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.MARK);
            Structs.writeMark(out.room(Structs.MARK_BYTES), migration.mark());
            out.endAttribute(attribute);
        }
        if (migration.outputMark() != null) {
            out.putInt(XfrmAttribute.SET_MARK, migration.outputMark().value());
            out.putInt(XfrmAttribute.SET_MARK_MASK, migration.outputMark().mask());
        }
        migration.mappingMaxAgeSeconds().ifPresent(seconds -> out.putInt(XfrmAttribute.MTIMER_THRESH, seconds));
        migration.natKeepaliveSeconds().ifPresent(seconds -> out.putInt(XfrmAttribute.NAT_KEEPALIVE_INTERVAL, seconds));
    }

    /** NEWPOLICY and UPDPOLICY. */
    public static void putPolicy(NetlinkWriter out, PolicySpec spec) {
        info(spec).write(out.room(UserpolicyInfo.BYTES));
        PolicyEncoder.putAttributes(out, spec);
    }

    /** The attributes of POLEXPIRE: of what names a Policy those that its fixed part lacks. */
    public static void putPolicyAttributes(NetlinkWriter out, PolicySpec spec) {
        PolicyEncoder.putKeyAttributes(out, spec);
    }

    public static UserpolicyInfo info(PolicySpec spec) {
        return new UserpolicyInfo(
                spec.selector(),
                spec.lifetime(),
                NOTHING,
                spec.priority(),
                spec.index(),
                spec.direction().number(),
                spec.action().ordinal(),
                spec.flags(),
                spec.share());
    }

    /** GETPOLICY and DELPOLICY. */
    public static void putPolicyKey(NetlinkWriter out, PolicyKey key) {
        new UserpolicyId(key.selector(), key.index(), key.direction().number()).write(out.room(UserpolicyId.BYTES));
        AttributeValues.putSecurityContext(out, key.securityContext());
        AttributeValues.putPolicyType(out, key.type());
        AttributeValues.putMark(out, key.mark());
        AttributeValues.putIfId(out, key.ifId());
    }

    /** The attribute of FLUSHPOLICY. */
    public static void putPolicyType(NetlinkWriter out, PolicySpec.Type type) {
        AttributeValues.putPolicyType(out, type);
    }

    /** MIGRATE. */
    public static void putMigration(NetlinkWriter out, Migration migration) {
        new UserpolicyId(migration.selector(), 0, migration.direction()).write(out.room(UserpolicyId.BYTES));
        AttributeValues.putPolicyType(out, migration.type());
        int attribute = out.beginAttribute(XfrmAttribute.MIGRATE);
        migration.moves().forEach(move -> UserMigrate.write(out.room(UserMigrate.BYTES), move));
        out.endAttribute(attribute);
        if (migration.keyManager() != null) {
            int addresses = out.beginAttribute(XfrmAttribute.KMADDRESS);
            UserMigrate.writeKmAddress(out.room(UserMigrate.KM_ADDRESS_BYTES), migration.keyManager());
            out.endAttribute(addresses);
        }
        StateEncoder.putEncapsulation(out, migration.encapsulation());
        AttributeValues.putIfId(out, migration.ifId());
    }
}
