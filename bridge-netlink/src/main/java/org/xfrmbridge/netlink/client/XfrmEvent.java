package org.xfrmbridge.netlink.client;

import java.util.List;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserReport;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/** What listeners are told: one record for each message of NETLINK_XFRM's groups. */
public sealed interface XfrmEvent {
    /** NEWSA, UPDSA or DELSA, group SA. */
    record StateChanged(Change change, StateEntry state) implements XfrmEvent {}

    /** FLUSHSA, group SA. @param protocol 255 or 0: of all protocols */
    record StatesFlushed(int protocol) implements XfrmEvent {}

    /** EXPIRE, group EXPIRE: a limit was reached. @param hard and the State is gone */
    record StateExpired(UsersaInfo state, boolean hard, Mark mark, int ifId) implements XfrmEvent {}

    /** NEWPOLICY, UPDPOLICY or DELPOLICY, group POLICY. */
    record PolicyChanged(Change change, PolicyEntry policy) implements XfrmEvent {}

    /** FLUSHPOLICY, group POLICY. @param type null if a kernel does not tell it */
    record PoliciesFlushed(PolicySpec.Type type) implements XfrmEvent {}

    /** POLEXPIRE, group EXPIRE. @param hard and the Policy is gone */
    record PolicyExpired(PolicyEntry policy, boolean hard) implements XfrmEvent {}

    /**
     * ACQUIRE, group ACQUIRE: a packet waits for States, or goes by one for all CPUs until its own has one.
     *
     * @param templates that have none, all of the Policy's
     * @param pcpu the CPU that wants it for itself, {@link org.xfrmbridge.xfrm.StateSpec#ABSENT} for all
     */
    record Acquire(UserAcquire request, List<Template> templates, Mark mark, int ifId, int pcpu) implements XfrmEvent {}

    /** NEWAE, group AEVENTS: counters for a stand-by. */
    record ReplayChanged(ReplayEntry replay) implements XfrmEvent {}

    /** MAPPING, group MAPPING: a peer behind a NAT has moved. */
    record MappingChanged(UserMapping mapping) implements XfrmEvent {}

    /** REPORT, group REPORT. @param careOf null if not told */
    record Reported(UserReport report, Address careOf) implements XfrmEvent {}

    /** MIGRATE, group MIGRATE. */
    record Migrated(Migration migration) implements XfrmEvent {}

    /**
     * MIGRATE_STATE, group MIGRATE: one State has moved. @param move the request, with the selector that the State has
     * now
     */
    record StateMigrated(UserMigrateState move) implements XfrmEvent {}

    /** GETDEFAULT, group POLICY. */
    record DefaultsChanged(Defaults defaults) implements XfrmEvent {}

    /** Events came faster than they were read, and some are lost: ENOBUFS. What was read so far may no longer hold. */
    record Lost() implements XfrmEvent {}

    /** A message that is newer than this class. */
    record Unknown(int messageType) implements XfrmEvent {}
}
