package org.xfrmbridge.netlink.map;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Migration.Move;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserMigrate;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.Template;

/** What MIGRATE says, as a {@link Migration}, and MIGRATE_STATE, as a {@link StateMigration}. */
public final class MigrationDecoder {
    private MigrationDecoder() {}

    /**
     * Refuses a wrong number of moves, and before them a policy type that does not exist, as {@code xfrm_do_migrate}
     * does.
     */
    public static Migration decode(UserpolicyId policy, Attributes attributes) throws XfrmException {
        ByteBuffer moves = attributes.get(XfrmAttribute.MIGRATE);
        if (moves == null) {
            throw new XfrmException(Errno.EINVAL, "the attribute MIGRATE is missing");
        }
        if (AttributeValues.policyType(attributes) == null) {
            throw new XfrmException(Errno.EINVAL, "there is no such policy type");
        }
        return decode(policy, attributes, moves(moves));
    }

    /** The same with moves that were read already. */
    public static Migration decode(UserpolicyId policy, Attributes attributes, List<Migration.Move> moves) {
        ByteBuffer addresses = attributes.get(XfrmAttribute.KMADDRESS);
        ByteBuffer encapsulation = attributes.get(XfrmAttribute.ENCAP);
        return new Migration(
                policy.selector(),
                policy.direction(),
                AttributeValues.policyType(attributes),
                moves,
                addresses == null ? null : UserMigrate.readKmAddress(addresses),
                encapsulation == null ? null : Structs.readEncapsulation(encapsulation),
                AttributeValues.ifId(attributes));
    }

    /** Refuses what the structure keeps free. */
    public static StateMigration decode(UserMigrateState wanted, Attributes attributes) throws XfrmException {
        if (wanted.reserved() != 0) {
            throw new XfrmException(Errno.EINVAL, "the reserved field is not zero");
        }
        ByteBuffer encapsulation = attributes.get(XfrmAttribute.ENCAP);
        return StateMigration.builder()
                .state(new StateKey(wanted.state().id(), wanted.state().family(), wanted.oldMark(), null))
                .daddr(wanted.newDaddr())
                .saddr(wanted.newSaddr())
                .family(wanted.newFamily())
                .selector(wanted.newSelector())
                .reqid(wanted.newReqid())
                .flags(wanted.flags())
                .mark(attributes.has(XfrmAttribute.MARK) ? AttributeValues.mark(attributes) : null)
                .outputMark(AttributeValues.outputMark(attributes))
                .encapsulation(encapsulation == null ? null : Structs.readEncapsulation(encapsulation))
                .mappingMaxAgeSeconds(number(attributes, XfrmAttribute.MTIMER_THRESH))
                .natKeepaliveSeconds(number(attributes, XfrmAttribute.NAT_KEEPALIVE_INTERVAL))
                .offloadFlags(AttributeValues.offloadFlags(attributes))
                .build();
    }

    private static OptionalInt number(Attributes attributes, int type) {
        return attributes.has(type) ? OptionalInt.of(attributes.getInt(type, 0)) : OptionalInt.empty();
    }

    /** Bytes behind the last whole move are nobody's. */
    private static List<Move> moves(ByteBuffer payload) throws XfrmException {
        int count = payload.limit() / UserMigrate.BYTES;
        if (count == 0 || count > Template.MAX_DEPTH) {
            throw new XfrmException(Errno.EINVAL, "there must be 1 to " + Template.MAX_DEPTH + " moves");
        }
        List<Move> moves = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            moves.add(UserMigrate.read(payload));
        }
        return List.copyOf(moves);
    }
}
