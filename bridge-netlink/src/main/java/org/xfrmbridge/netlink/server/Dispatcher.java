package org.xfrmbridge.netlink.server;

import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
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
import org.xfrmbridge.netlink.nl.AttributePolicy;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Fault;
import org.xfrmbridge.netlink.nl.NetlinkException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * Finds who answers a message and calls it, {@code xfrm_user_rcv_msg}: privilege, length, attributes, then the verb.
 */
final class Dispatcher {
    /** Carries out one verb and sends its answer; acknowledging is not its business. */
    interface Handler {
        void handle(Request request) throws XfrmException;
    }

    /** @param payloadBytes least length of the structure behind the header */
    private record Verb(int payloadBytes, AttributePolicy policies, Handler handler) {}

    private static final Fault NOT_PERMITTED = Fault.of(Errno.EPERM, null);

    /** By type, the lowest one first. */
    private final Verb[] verbs = new Verb[XfrmMessage.MIGRATE_STATE - NetlinkHeader.FIRST_PROTOCOL_TYPE + 1];

    private final XfrmService service;

    Dispatcher(XfrmService service) {
        this.service = service;
        addStateVerbs(new StateRequests(service));
        addPolicyVerbs(new PolicyRequests(service));
        DatabaseRequests database = new DatabaseRequests(service);
        add(XfrmMessage.GETSADINFO, Integer.BYTES, database::stateCounts);
        add(XfrmMessage.GETSPDINFO, Integer.BYTES, database::policyCounts);
        add(XfrmMessage.NEWSPDINFO, new Verb(Integer.BYTES, XfrmAttribute.SPD_POLICIES, database::setThresholds));
        add(XfrmMessage.SETDEFAULT, UserpolicyDefault.BYTES, database::setDefaults);
        add(XfrmMessage.GETDEFAULT, UserpolicyDefault.BYTES, database::getDefaults);
        addRefused();
    }

    boolean serves(XfrmService asked) {
        return service == asked;
    }

    private void addStateVerbs(StateRequests states) {
        add(XfrmMessage.NEWSA, UsersaInfo.BYTES, states::add);
        add(XfrmMessage.UPDSA, UsersaInfo.BYTES, states::update);
        add(XfrmMessage.DELSA, UsersaId.BYTES, states::delete);
        add(XfrmMessage.GETSA, UsersaId.BYTES, states::get);
        add(XfrmMessage.ALLOCSPI, UserspiInfo.BYTES, states::allocateSpi);
        add(XfrmMessage.FLUSHSA, 1, states::flush);
        add(XfrmMessage.EXPIRE, UserExpire.BYTES, states::expire);
        add(XfrmMessage.NEWAE, AeventId.BYTES, states::updateReplay);
        add(XfrmMessage.GETAE, AeventId.BYTES, states::getReplay);
        add(XfrmMessage.MIGRATE_STATE, UserMigrateState.BYTES, states::migrate);
    }

    private void addPolicyVerbs(PolicyRequests policies) {
        add(XfrmMessage.NEWPOLICY, UserpolicyInfo.BYTES, policies::add);
        add(XfrmMessage.UPDPOLICY, UserpolicyInfo.BYTES, policies::add);
        add(XfrmMessage.DELPOLICY, UserpolicyId.BYTES, policies::delete);
        add(XfrmMessage.GETPOLICY, UserpolicyId.BYTES, policies::get);
        add(XfrmMessage.FLUSHPOLICY, 0, policies::flush);
        add(XfrmMessage.POLEXPIRE, UserPolexpire.BYTES, policies::expire);
        add(XfrmMessage.ACQUIRE, UserAcquire.BYTES, policies::acquire);
        add(XfrmMessage.MIGRATE, UserpolicyId.BYTES, policies::migrate);
    }

    /** Types a kernel knows and checks, but only ever sends. */
    private void addRefused() {
        add(XfrmMessage.REPORT, UserReport.BYTES, refuse(Errno.EINVAL));
        add(XfrmMessage.NEWSADINFO, 0, refuse(Errno.EINVAL));
        add(XfrmMessage.MAPPING, UserMapping.BYTES, refuse(Errno.EINVAL));
    }

    private static Handler refuse(Errno errno) {
        return request -> {
            throw new XfrmException(errno);
        };
    }

    private void add(int type, int payloadBytes, Handler handler) {
        add(type, new Verb(payloadBytes, XfrmAttribute.POLICIES, handler));
    }

    private void add(int type, Verb verb) {
        verbs[type - NetlinkHeader.FIRST_PROTOCOL_TYPE] = verb;
    }

    /** Null if there is none. */
    private Verb verb(int type) {
        int at = type - NetlinkHeader.FIRST_PROTOCOL_TYPE;
        return at < verbs.length ? verbs[at] : null;
    }

    /** Answers one message, all but its acknowledgement; null if that has nothing to say. */
    Fault dispatch(Request request) {
        Verb verb = verb(request.message().type());
        if (verb == null) {
            return Fault.of(Errno.EINVAL, null);
        }
        if (!request.privileged()) {
            return NOT_PERMITTED;
        }
        try {
            return dispatch(verb, request);
        } catch (NetlinkException e) {
            return Fault.of(e);
        }
    }

    private static Fault dispatch(Verb verb, Request request) throws NetlinkException {
        NetlinkReader message = request.message();
        if (message.payloadBytes() < verb.payloadBytes) {
            throw new NetlinkException(Errno.EINVAL, "message is shorter than its structure");
        }
        message.parseAttributes(verb.payloadBytes, verb.policies);
        String remark = remark(request.attributes());
        try {
            refuseUnused(verb, request);
            verb.handler.handle(request);
            return remark == null ? null : Fault.remark(remark);
        } catch (XfrmException e) {
            String text = e.getMessage() != null ? e.getMessage() : remark;
            return new Fault(e.errno().number(), text, offset(verb, request.attributes(), e.attribute()), 0, null);
        }
    }

    /** What there is to say of a message whose attributes were readable; null for nothing. */
    static String remark(Attributes attributes) {
        return attributes.leftoverBytes() > 0 ? "there are bytes behind the attributes" : null;
    }

    /** {@code xfrm_reject_unused_attr}: of the newer attributes only. */
    private static void refuseUnused(Verb verb, Request request) throws XfrmException {
        Attributes attributes = request.attributes();
        if (verb.policies != XfrmAttribute.POLICIES || makesState(request)) {
            return;
        }
        if (attributes.has(XfrmAttribute.SA_DIR)) {
            throw new XfrmException(Errno.EINVAL, "only requests that make a State have a direction");
        }
        if (attributes.has(XfrmAttribute.SA_PCPU) && !request.is(XfrmMessage.ACQUIRE)) {
            throw new XfrmException(Errno.EINVAL, "only requests that make a State have a CPU");
        }
    }

    private static boolean makesState(Request request) {
        return request.is(XfrmMessage.NEWSA) || request.is(XfrmMessage.UPDSA) || request.is(XfrmMessage.ALLOCSPI);
    }

    private static int offset(Verb verb, Attributes attributes, int attribute) {
        if (attribute == 0 || !attributes.has(attribute)) {
            return NetlinkException.NO_OFFSET;
        }
        return NetlinkHeader.BYTES + NetlinkHeader.align(verb.payloadBytes) + attributes.offsetOf(attribute);
    }
}
