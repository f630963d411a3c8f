package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import java.util.function.Predicate;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.map.Protocols;
import org.xfrmbridge.pfkey.map.StateDecoder;
import org.xfrmbridge.pfkey.map.StateEncoder;
import org.xfrmbridge.pfkey.msg.SadbXFilter;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** Requests about States. What changes one is answered by the news of it, from {@link PfkeyKeyManager}. */
final class StateRequests {
    private static final int MAX_PREFIX_BITS = 128;

    private final XfrmService service;

    StateRequests(XfrmService service) {
        this.service = service;
    }

    void allocateSpi(Request request) throws XfrmException {
        State larval =
                service.allocateSpi(StateDecoder.spiRequest(request.header(), request.extensions(), request.origin()));
        answer(request, larval);
    }

    void add(Request request) throws XfrmException {
        service.addState(StateDecoder.spec(request.header(), request.extensions()), request.origin());
    }

    void update(Request request) throws XfrmException {
        service.updateState(StateDecoder.spec(request.header(), request.extensions()), request.origin());
    }

    void delete(Request request) throws XfrmException {
        service.deleteState(StateDecoder.key(request.header(), request.extensions()), request.origin());
    }

    void get(Request request) throws XfrmException {
        answer(request, service.getState(StateDecoder.key(request.header(), request.extensions())));
    }

    private static void answer(Request request, State state) throws XfrmException {
        SadbMsg header = request.answer(Protocols.toSatype(state.id().protocol()));
        request.session().answer(StateEncoder.message(header, state));
    }

    /** {@code pfkey_acquire}: not answered, whether there is such a negotiation or not. */
    void acquireFailed(Request request) throws XfrmException {
        if (!request.header().isAlone()) {
            throw new XfrmException(Errno.EOPNOTSUPP);
        }
        if (request.header().errno() != 0) {
            service.failAcquire(request.header().sequence());
        }
    }

    /** Answered twice if there was anything to flush: to the asker, and to all as news. */
    void flush(Request request) throws XfrmException {
        int protocol = protocol(request);
        request.session().answer(request.header().answeredWith(0).toBytes());
        try {
            service.flushStates(protocol, request.origin());
        } catch (XfrmException e) {
            requireEmpty(e);
        }
    }

    /** That there was nothing to flush is no error. */
    static void requireEmpty(XfrmException e) throws XfrmException {
        if (e.errno() != Errno.ESRCH) {
            throw e;
        }
    }

    void dump(Request request) throws XfrmException {
        int protocol = protocol(request);
        Predicate<State> filter =
                state -> state.id().protocol() == protocol || protocol == IpProtocol.IPSEC_ANY && isIpsec(state);
        ByteBuffer body = request.extensions().get(SadbExt.X_FILTER);
        if (body != null) {
            filter = filter.and(byAddress(SadbXFilter.read(body)));
        }
        int pid = request.header().pid();
        request.session().start(new ActiveDump<>(service.states(filter), request.header(), (state, sequence) -> {
            int satype = Protocols.toSatype(state.id().protocol());
            return StateEncoder.message(new SadbMsg(SadbType.DUMP, satype, sequence, pid), state);
        }));
    }

    private static boolean isIpsec(State state) {
        return Protocols.toSatype(state.id().protocol()) != Satype.UNSPEC;
    }

    private static Predicate<State> byAddress(SadbXFilter filter) throws XfrmException {
        if (filter.splen() > MAX_PREFIX_BITS || filter.dplen() > MAX_PREFIX_BITS) {
            throw new XfrmException(Errno.EINVAL);
        }
        return state -> {
            StateSpec spec = state.spec();
            return (!AddressFamily.isIp(filter.family()) || spec.family() == filter.family())
                    && spec.saddr().sharesPrefix(filter.saddr(), filter.splen())
                    && spec.id().daddr().sharesPrefix(filter.daddr(), filter.dplen());
        };
    }

    private static int protocol(Request request) throws XfrmException {
        int protocol = Protocols.ofSatype(request.header().satype());
        if (protocol == 0) {
            throw new XfrmException(Errno.EINVAL);
        }
        return protocol;
    }
}
