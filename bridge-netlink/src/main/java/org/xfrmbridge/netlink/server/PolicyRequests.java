package org.xfrmbridge.netlink.server;

import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.km.XfrmService.AlgorithmMasks;
import org.xfrmbridge.netlink.map.AttributeValues;
import org.xfrmbridge.netlink.map.MigrationDecoder;
import org.xfrmbridge.netlink.map.PolicyDecoder;
import org.xfrmbridge.netlink.map.PolicyEncoder;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** The requests about Policies: each decodes, calls the core and encodes. */
final class PolicyRequests {
    private final XfrmService service;

    PolicyRequests(XfrmService service) {
        this.service = service;
    }

    /** NEWPOLICY and UPDPOLICY: the type alone says whether one may be there already, not NLM_F_EXCL. */
    void add(Request request) throws XfrmException {
        PolicySpec spec = PolicyDecoder.decode(UserpolicyInfo.read(request.payload()), request.attributes());
        service.addPolicy(spec, request.is(XfrmMessage.NEWPOLICY), request.origin());
    }

    void delete(Request request) throws XfrmException {
        service.deletePolicy(key(request, UserpolicyId.read(request.payload())), request.origin());
    }

    void get(Request request) throws XfrmException {
        Policy policy = service.getPolicy(key(request, UserpolicyId.read(request.payload())));
        NetlinkWriter reply = request.reply(XfrmMessage.NEWPOLICY);
        PolicyEncoder.putInfo(reply, policy);
        PolicyEncoder.putAttributes(reply, policy.spec());
        request.send(reply);
    }

    void flush(Request request) throws XfrmException {
        try {
            service.flushPolicies(AttributeValues.policyType(request.attributes()), request.origin());
        } catch (XfrmException e) {
            // Nothing to flush is success to a client.
            if (e.errno() != Errno.ESRCH) {
                throw e;
            }
        }
    }

    void expire(Request request) throws XfrmException {
        UserPolexpire expire = UserPolexpire.read(request.payload());
        UserpolicyInfo info = expire.policy();
        PolicyKey key = key(request, new UserpolicyId(info.selector(), info.index(), info.direction()));
        service.expirePolicy(key, expire.hard() != 0, request.origin());
    }

    /** A client that could not negotiate says so, to the other key managers. */
    void acquire(Request request) throws XfrmException {
        UserAcquire acquire = UserAcquire.read(request.payload());
        PolicySpec policy = PolicyDecoder.decode(acquire.policy(), request.attributes());
        StateSpecBuilder state = StateSpec.builder()
                .selector(acquire.selector())
                .id(acquire.id())
                .saddr(acquire.saddr())
                .seq(acquire.seq())
                .mark(policy.mark());
        if (request.attributes().has(XfrmAttribute.SA_PCPU)) {
            state.pcpu(request.attributes().getInt(XfrmAttribute.SA_PCPU, StateSpec.ABSENT))
                    .given(StateSpec.GIVEN_PCPU);
        }
        AlgorithmMasks masks = new AlgorithmMasks(acquire.authMask(), acquire.cipherMask(), acquire.compressionMask());
        service.reportAcquireFailure(acquire.selector(), state.build(), policy, masks);
    }

    void migrate(Request request) throws XfrmException {
        service.migrate(MigrationDecoder.decode(UserpolicyId.read(request.payload()), request.attributes()));
    }

    private static PolicyKey key(Request request, UserpolicyId id) throws XfrmException {
        return PolicyDecoder.decodeKey(id, request.attributes());
    }
}
