package org.xfrmbridge.netlink.server;

import org.xfrmbridge.km.ChangeListener.Acquire;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.netlink.map.PolicyEncoder;
import org.xfrmbridge.netlink.map.StateEncoder;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UserMigrate;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Events as a kernel multicasts them (the {@code build_} and {@code xfrm_notify_} functions of xfrm_user.c, Linux
 * 6.12).
 */
final class EventEncoder {
    private EventEncoder() {}

    private static NetlinkWriter begin(int type, Origin origin) {
        return new NetlinkWriter().begin(type, 0, origin.sequence(), origin.portId());
    }

    /** NEWSA or UPDSA. */
    static NetlinkWriter state(int type, State state, Origin origin) {
        NetlinkWriter out = begin(type, origin);
        StateEncoder.putInfo(out, state);
        StateEncoder.putAttributes(out, state);
        return out.end();
    }

    /** DELSA: named by its id, and told whole in XFRMA_SA and the attributes. */
    static NetlinkWriter stateDeleted(State state, Origin origin) {
        NetlinkWriter out = begin(XfrmMessage.DELSA, origin);
        StateEncoder.id(state).write(out.room(UsersaId.BYTES));
        int attribute = out.beginAttribute(XfrmAttribute.SA);
        StateEncoder.putInfo(out, state);
        out.endAttribute(attribute);
        StateEncoder.putAttributes(out, state);
        return out.end();
    }

    static NetlinkWriter statesFlushed(int protocol, Origin origin) {
        NetlinkWriter out = begin(XfrmMessage.FLUSHSA, origin);
        out.room(1).put((byte) protocol);
        return out.end();
    }

    static NetlinkWriter stateExpired(State state, int hard, int portId) {
        NetlinkWriter out = begin(XfrmMessage.EXPIRE, new Origin(0, portId));
        new UserExpire(StateEncoder.info(state), hard).write(out.room(UserExpire.BYTES));
        StateEncoder.putExpireAttributes(out, state);
        return out.end();
    }

    static NetlinkWriter replayChanged(State state, int flags, Origin origin) {
        NetlinkWriter out = begin(XfrmMessage.NEWAE, origin);
        StateEncoder.putAevent(out, state, flags);
        return out.end();
    }

    /** NEWPOLICY or UPDPOLICY. */
    static NetlinkWriter policy(int type, Policy policy, Origin origin) {
        NetlinkWriter out = begin(type, origin);
        PolicyEncoder.putInfo(out, policy);
        PolicyEncoder.putEventAttributes(out, policy.spec());
        return out.end();
    }

    /** DELPOLICY: named as the client named it, and told whole in XFRMA_POLICY and the attributes. */
    static NetlinkWriter policyDeleted(Policy policy, UserpolicyId name, Origin origin) {
        NetlinkWriter out = begin(XfrmMessage.DELPOLICY, origin);
        name.write(out.room(UserpolicyId.BYTES));
        int attribute = out.beginAttribute(XfrmAttribute.POLICY);
        PolicyEncoder.putInfo(out, policy);
        out.endAttribute(attribute);
        PolicyEncoder.putEventAttributes(out, policy.spec());
        return out.end();
    }

    static UserpolicyId byIndex(PolicySpec spec) {
        return new UserpolicyId(
                Selector.any(AddressFamily.UNSPEC),
                spec.index(),
                spec.direction().number());
    }

    static UserpolicyId bySelector(PolicySpec spec) {
        return new UserpolicyId(spec.selector(), 0, spec.direction().number());
    }

    static NetlinkWriter policiesFlushed(PolicySpec.Type type, Origin origin) {
        NetlinkWriter out = begin(XfrmMessage.FLUSHPOLICY, origin);
        PolicyEncoder.putType(out, type);
        return out.end();
    }

    static NetlinkWriter policyExpired(UserpolicyInfo info, PolicySpec spec, int hard, int portId) {
        NetlinkWriter out = begin(XfrmMessage.POLEXPIRE, new Origin(0, portId));
        new UserPolexpire(info, hard).write(out.room(UserPolexpire.BYTES));
        PolicyEncoder.putAttributes(out, spec);
        return out.end();
    }

    /** ACQUIRE: its policy says "out" whatever the direction, as a kernel's does. */
    static NetlinkWriter acquire(Acquire acquire) {
        StateSpec larval = acquire.larval().spec();
        Template template = acquire.template();
        NetlinkWriter out = begin(XfrmMessage.ACQUIRE, Origin.KERNEL);
        new UserAcquire(
                        larval.id(),
                        larval.saddr(),
                        larval.selector(),
                        PolicyEncoder.info(acquire.policy(), Direction.OUT.number()),
                        template.authMask(),
                        template.cipherMask(),
                        template.compressionMask(),
                        larval.seq())
                .write(out.room(UserAcquire.BYTES));
        PolicyEncoder.putAcquireAttributes(out, acquire.policy().spec(), acquire.larval());
        return out.end();
    }

    static NetlinkWriter mappingChanged(State state, Address newSaddr, int newSport) {
        StateSpec spec = state.spec();
        Encapsulation encapsulation = spec.encapsulation();
        NetlinkWriter out = begin(XfrmMessage.MAPPING, Origin.KERNEL);
        new UserMapping(StateEncoder.id(state), spec.reqid(), spec.saddr(), newSaddr, encapsulation.sport(), newSport)
                .write(out.room(UserMapping.BYTES));
        return out.end();
    }

    /** MIGRATE: one attribute for each move, where a request has one for all. */
    static NetlinkWriter migrated(Migration migration) {
        NetlinkWriter out = begin(XfrmMessage.MIGRATE, Origin.KERNEL);
        new UserpolicyId(migration.selector(), 0, migration.direction()).write(out.room(UserpolicyId.BYTES));
        if (migration.keyManager() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.KMADDRESS);
            UserMigrate.writeKmAddress(out.room(UserMigrate.KM_ADDRESS_BYTES), migration.keyManager());
            out.endAttribute(attribute);
        }
        if (migration.encapsulation() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.ENCAP);
            Structs.writeEncapsulation(out.room(Structs.ENCAP_BYTES), migration.encapsulation());
            out.endAttribute(attribute);
        }
        PolicyEncoder.putType(out, migration.type());
        for (Migration.Move move : migration.moves()) {
            int attribute = out.beginAttribute(XfrmAttribute.MIGRATE);
            UserMigrate.write(out.room(UserMigrate.BYTES), move);
            out.endAttribute(attribute);
        }
        return out.end();
    }

    /** MIGRATE_STATE: the request, with the selector that the State has now. */
    static NetlinkWriter stateMigrated(StateMigration migration, State moved, Origin origin) {
        NetlinkWriter out = begin(XfrmMessage.MIGRATE_STATE, origin);
        StateKey old = migration.state();
        new UserMigrateState(
                        new UsersaId(old.id(), old.family()),
                        migration.daddr(),
                        migration.saddr(),
                        old.mark(),
                        moved.spec().selector(),
                        migration.reqid(),
                        migration.flags(),
                        migration.family(),
                        0)
                .write(out.room(UserMigrateState.BYTES));
        StateEncoder.putMigrationAttributes(out, migration, moved);
        return out.end();
    }

    /** Default verdicts are told in the message that answers GETDEFAULT. */
    static NetlinkWriter defaultsChanged(Defaults defaults) {
        NetlinkWriter out = begin(XfrmMessage.GETDEFAULT, Origin.KERNEL);
        UserpolicyDefault.write(out.room(UserpolicyDefault.BYTES), defaults);
        return out.end();
    }
}
