package org.xfrmbridge.netlink.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.netlink.client.XfrmEvent.Acquire;
import org.xfrmbridge.netlink.client.XfrmEvent.DefaultsChanged;
import org.xfrmbridge.netlink.client.XfrmEvent.MappingChanged;
import org.xfrmbridge.netlink.client.XfrmEvent.Migrated;
import org.xfrmbridge.netlink.client.XfrmEvent.PoliciesFlushed;
import org.xfrmbridge.netlink.client.XfrmEvent.PolicyChanged;
import org.xfrmbridge.netlink.client.XfrmEvent.PolicyExpired;
import org.xfrmbridge.netlink.client.XfrmEvent.ReplayChanged;
import org.xfrmbridge.netlink.client.XfrmEvent.Reported;
import org.xfrmbridge.netlink.client.XfrmEvent.StateChanged;
import org.xfrmbridge.netlink.client.XfrmEvent.StateExpired;
import org.xfrmbridge.netlink.client.XfrmEvent.StateMigrated;
import org.xfrmbridge.netlink.client.XfrmEvent.StatesFlushed;
import org.xfrmbridge.netlink.client.XfrmEvent.Unknown;
import org.xfrmbridge.netlink.map.AttributeValues;
import org.xfrmbridge.netlink.map.MigrationDecoder;
import org.xfrmbridge.netlink.map.PolicyDecoder;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UserMigrate;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserReport;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.StateSpec;

/** Events as they are multicast, as {@link XfrmEvent}s: what {@code EventEncoder} writes. */
final class EventDecoder {
    private EventDecoder() {}

    static XfrmEvent decode(NetlinkReader message) throws IOException {
        ByteBuffer in = message.payload();
        int type = message.header().type();
        return switch (type) {
            case XfrmMessage.NEWSA -> new StateChanged(Change.NEW, state(in));
            case XfrmMessage.UPDSA -> new StateChanged(Change.UPDATE, state(in));
            case XfrmMessage.DELSA -> new StateChanged(Change.DELETE, deletedState(in));
            case XfrmMessage.FLUSHSA -> new StatesFlushed(Byte.toUnsignedInt(in.get(0)));
            case XfrmMessage.EXPIRE -> stateExpired(in);
            case XfrmMessage.NEWPOLICY -> new PolicyChanged(Change.NEW, policy(in));
            case XfrmMessage.UPDPOLICY -> new PolicyChanged(Change.UPDATE, policy(in));
            case XfrmMessage.DELPOLICY -> new PolicyChanged(Change.DELETE, deletedPolicy(in));
            case XfrmMessage.FLUSHPOLICY -> new PoliciesFlushed(AttributeValues.policyType(attributes(in, 0)));
            case XfrmMessage.POLEXPIRE -> policyExpired(in);
            case XfrmMessage.ACQUIRE -> acquire(in);
            case XfrmMessage.NEWAE -> new ReplayChanged(ReplayEntry.of(in));
            case XfrmMessage.MAPPING -> new MappingChanged(UserMapping.read(in));
            case XfrmMessage.REPORT -> reported(in);
            case XfrmMessage.MIGRATE -> new Migrated(migration(in));
            case XfrmMessage.MIGRATE_STATE -> new StateMigrated(UserMigrateState.read(in));
            case XfrmMessage.GETDEFAULT -> new DefaultsChanged(UserpolicyDefault.read(in));
            default -> new Unknown(type);
        };
    }

    private static Attributes attributes(ByteBuffer payload, int fixedBytes) {
        return Attributes.parse(payload, fixedBytes, XfrmAttribute.MAX);
    }

    static StateEntry state(ByteBuffer in) throws IOException {
        return StateEntry.of(UsersaInfo.read(in), attributes(in, UsersaInfo.BYTES));
    }

    private static StateEntry deletedState(ByteBuffer in) throws IOException {
        Attributes attributes = attributes(in, UsersaId.BYTES);
        return StateEntry.of(UsersaInfo.read(required(attributes, XfrmAttribute.SA)), attributes);
    }

    static PolicyEntry policy(ByteBuffer in) throws IOException {
        return PolicyEntry.of(UserpolicyInfo.read(in), attributes(in, UserpolicyInfo.BYTES));
    }

    private static PolicyEntry deletedPolicy(ByteBuffer in) throws IOException {
        Attributes attributes = attributes(in, UserpolicyId.BYTES);
        return PolicyEntry.of(UserpolicyInfo.read(required(attributes, XfrmAttribute.POLICY)), attributes);
    }

    private static ByteBuffer required(Attributes attributes, int type) throws IOException {
        if (!attributes.has(type)) {
            throw new IOException("an event lacks attribute " + type);
        }
        return attributes.get(type);
    }

    private static StateExpired stateExpired(ByteBuffer in) {
        UserExpire expire = UserExpire.read(in);
        Attributes attributes = attributes(in, UserExpire.BYTES);
        return new StateExpired(
                expire.state(), expire.hard() != 0, AttributeValues.mark(attributes), AttributeValues.ifId(attributes));
    }

    private static PolicyExpired policyExpired(ByteBuffer in) throws IOException {
        UserPolexpire expire = UserPolexpire.read(in);
        return new PolicyExpired(
                PolicyEntry.of(expire.policy(), attributes(in, UserPolexpire.BYTES)), expire.hard() != 0);
    }

    private static Acquire acquire(ByteBuffer in) {
        UserAcquire request = UserAcquire.read(in);
        Attributes attributes = attributes(in, UserAcquire.BYTES);
        return new Acquire(
                request,
                PolicyDecoder.templates(attributes.get(XfrmAttribute.TMPL)),
                AttributeValues.mark(attributes),
                AttributeValues.ifId(attributes),
                attributes.getInt(XfrmAttribute.SA_PCPU, StateSpec.ABSENT));
    }

    private static Reported reported(ByteBuffer in) {
        UserReport report = UserReport.read(in);
        return new Reported(report, AttributeValues.address(attributes(in, UserReport.BYTES), XfrmAttribute.COADDR));
    }

    /** An event has one attribute for each move, where a request has one for all: those are read one by one. */
    private static Migration migration(ByteBuffer in) {
        UserpolicyId policy = UserpolicyId.read(in);
        return MigrationDecoder.decode(policy, attributes(in, UserpolicyId.BYTES), moves(in));
    }

    private static List<Migration.Move> moves(ByteBuffer payload) {
        List<Migration.Move> moves = new ArrayList<>();
        int at = UserpolicyId.BYTES;
        while (payload.limit() - at >= Attributes.HEADER_BYTES) {
            int lengthBytes = Short.toUnsignedInt(payload.getShort(at));
            boolean move = payload.getShort(at + 2) == XfrmAttribute.MIGRATE;
            if (lengthBytes < Attributes.HEADER_BYTES || lengthBytes > payload.limit() - at) {
                break;
            }
            if (move && lengthBytes >= Attributes.HEADER_BYTES + UserMigrate.BYTES) {
                moves.add(UserMigrate.read(
                        payload.duplicate().order(payload.order()).position(at + Attributes.HEADER_BYTES)));
            }
            at += NetlinkHeader.align(lengthBytes);
        }
        return List.copyOf(moves);
    }
}
