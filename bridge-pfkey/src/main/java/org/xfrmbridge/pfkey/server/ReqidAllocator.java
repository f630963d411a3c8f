package org.xfrmbridge.pfkey.server;

import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.map.PolicyDecoder;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec.Type;

/**
 * {@code gen_reqid}: reqids above those that clients may choose, one after the other, for all sockets together. Control
 * thread only.
 */
final class ReqidAllocator {
    private int last = PolicyDecoder.MAX_MANUAL_REQID;

    /** One that no Policy has. @throws XfrmException ENOBUFS if all are in use */
    int allocate(XfrmService service) throws XfrmException {
        int start = last;
        do {
            last++;
            if (last == 0) {
                last = PolicyDecoder.MAX_MANUAL_REQID + 1;
            }
            if (isFree(last, service.policies(Type.MAIN))) {
                return last;
            }
        } while (last != start);
        throw new XfrmException(Errno.ENOBUFS);
    }

    private static boolean isFree(int reqid, Dump<Policy> all) {
        for (Policy policy = all.next(); policy != null; policy = all.next()) {
            if (policy.spec().templates().stream().anyMatch(template -> template.reqid() == reqid)) {
                return false;
            }
        }
        return true;
    }
}
