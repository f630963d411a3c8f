package org.xfrmbridge.pfkey.server;

import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.sadb.SadbType;

/** Which request goes where: {@code pfkey_funcs}. */
final class Dispatcher {
    private final SocketRequests sockets;
    private final StateRequests states;
    private final PolicyRequests policies;

    Dispatcher(XfrmService service, PfkeyKeyManager keyManager) {
        sockets = new SocketRequests(keyManager);
        states = new StateRequests(service);
        policies = new PolicyRequests(service, keyManager.reqids());
    }

    /** Answers, but where it throws: then the exception's errno is the answer. */
    void dispatch(Request request) throws XfrmException {
        switch (request.header().type()) {
            case SadbType.GETSPI -> states.allocateSpi(request);
            case SadbType.ADD -> states.add(request);
            case SadbType.UPDATE -> states.update(request);
            case SadbType.DELETE -> states.delete(request);
            case SadbType.GET -> states.get(request);
            case SadbType.ACQUIRE -> states.acquireFailed(request);
            case SadbType.FLUSH -> states.flush(request);
            case SadbType.DUMP -> states.dump(request);
            case SadbType.REGISTER -> sockets.register(request);
            case SadbType.X_PROMISC -> sockets.promiscuous(request);
            case SadbType.X_SPDADD, SadbType.X_SPDSETIDX -> policies.add(request);
            case SadbType.X_SPDUPDATE -> policies.update(request);
            case SadbType.X_SPDDELETE -> policies.delete(request);
            case SadbType.X_SPDDELETE2 -> policies.deleteByIndex(request);
            case SadbType.X_SPDGET -> policies.get(request);
            case SadbType.X_SPDDUMP -> policies.dump(request);
            case SadbType.X_SPDFLUSH -> policies.flush(request);
            case SadbType.X_MIGRATE -> policies.migrate(request);
            default -> throw new XfrmException(Errno.EOPNOTSUPP);
        }
    }
}
