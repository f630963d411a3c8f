package org.xfrmbridge.pfkey.server;

import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.map.MigrationDecoder;
import org.xfrmbridge.pfkey.map.PolicyDecoder;
import org.xfrmbridge.pfkey.map.PolicyEncoder;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpec.Type;

/** Requests about Policies. What changes one is answered by the news of it, from {@link PfkeyKeyManager}. */
final class PolicyRequests {
    private final XfrmService service;
    private final ReqidAllocator reqids;

    PolicyRequests(XfrmService service, ReqidAllocator reqids) {
        this.service = service;
        this.reqids = reqids;
    }

    void add(Request request) throws XfrmException {
        service.addPolicy(spec(request), true, request.origin());
    }

    void update(Request request) throws XfrmException {
        service.addPolicy(spec(request), false, request.origin());
    }

    private PolicySpec spec(Request request) throws XfrmException {
        return PolicyDecoder.spec(request.extensions(), () -> reqids.allocate(service));
    }

    void delete(Request request) throws XfrmException {
        service.deletePolicy(PolicyDecoder.bySelector(request.extensions()), request.origin());
    }

    void deleteByIndex(Request request) throws XfrmException {
        service.deletePolicy(PolicyDecoder.byIndex(request.extensions()), request.origin());
    }

    void migrate(Request request) throws XfrmException {
        service.migrate(MigrationDecoder.decode(request.extensions()));
    }

    void get(Request request) throws XfrmException {
        Policy policy = service.getPolicy(PolicyDecoder.byIndex(request.extensions()));
        SadbMsg asked = request.header();
        SadbMsg header = PfkeyKeyManager.policyHeader(
                SadbType.X_SPDGET, PfkeyKeyManager.REFERENCES_TOLD, asked.sequence(), asked.pid());
        request.session().answer(PolicyEncoder.message(header, policy));
    }

    void dump(Request request) {
        int pid = request.header().pid();
        request.session().start(new ActiveDump<>(service.policies(Type.MAIN), request.header(), (policy, sequence) -> {
            SadbMsg header =
                    PfkeyKeyManager.policyHeader(SadbType.X_SPDDUMP, PfkeyKeyManager.REFERENCES_DUMPED, sequence, pid);
            return PolicyEncoder.message(header, policy);
        }));
    }

    /** Answered twice if there was anything to flush: to the asker, and to all as news. */
    void flush(Request request) throws XfrmException {
        request.session().answer(request.header().answeredWith(0).toBytes());
        try {
            service.flushPolicies(Type.MAIN, request.origin());
        } catch (XfrmException e) {
            StateRequests.requireEmpty(e);
        }
    }
}
