package org.xfrmbridge.netlink.server;

import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.km.XfrmService.ReplayUpdate;
import org.xfrmbridge.km.XfrmService.SpiRequest;
import org.xfrmbridge.netlink.map.AttributeValues;
import org.xfrmbridge.netlink.map.MigrationDecoder;
import org.xfrmbridge.netlink.map.StateDecoder;
import org.xfrmbridge.netlink.map.StateEncoder;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/** The requests about States: each decodes, calls the core and encodes. */
final class StateRequests {
    private final XfrmService service;

    StateRequests(XfrmService service) {
        this.service = service;
    }

    void add(Request request) throws XfrmException {
        service.addState(spec(request), request.origin());
    }

    void update(Request request) throws XfrmException {
        service.updateState(spec(request), request.origin());
    }

    void delete(Request request) throws XfrmException {
        service.deleteState(key(request, UsersaId.read(request.payload())), request.origin());
    }

    void get(Request request) throws XfrmException {
        sendState(request, service.getState(key(request, UsersaId.read(request.payload()))));
    }

    void allocateSpi(Request request) throws XfrmException {
        UserspiInfo range = UserspiInfo.read(request.payload());
        StateSpec spec = StateDecoder.decodeLarval(range.info(), request.attributes());
        sendState(request, service.allocateSpi(new SpiRequest(spec, range.min(), range.max(), request.origin())));
    }

    void flush(Request request) throws XfrmException {
        try {
            service.flushStates(Byte.toUnsignedInt(request.payload().get()), request.origin());
        } catch (XfrmException e) {
            // Nothing to flush is success to a client.
            if (e.errno() != Errno.ESRCH) {
                throw e;
            }
        }
    }

    void expire(Request request) throws XfrmException {
        UserExpire expire = UserExpire.read(request.payload());
        UsersaId id = new UsersaId(expire.state().id(), expire.state().family());
        service.expireState(key(request, id), expire.hard() != 0, request.origin());
    }

    void updateReplay(Request request) throws XfrmException {
        AeventId id = AeventId.read(request.payload());
        service.updateReplay(
                new ReplayUpdate(
                        key(request, id.state()),
                        id.reqid(),
                        StateDecoder.plainReplay(request.attributes()),
                        StateDecoder.bitmapUpdate(request.attributes()),
                        StateDecoder.usage(request.attributes()),
                        threshold(request, XfrmAttribute.REPLAY_THRESH),
                        threshold(request, XfrmAttribute.ETIMER_THRESH),
                        threshold(request, XfrmAttribute.MTIMER_THRESH),
                        request.message().has(NetlinkHeader.REPLACE)),
                request.origin());
    }

    void getReplay(Request request) throws XfrmException {
        AeventId id = AeventId.read(request.payload());
        State state = service.getReplay(key(request, id.state()));
        // Unlike all other answers this one repeats the port id of the request's header.
        NetlinkWriter reply = request.begin(XfrmMessage.NEWAE, request.message().portId());
        StateEncoder.putAevent(reply, state, id.flags());
        request.send(reply);
    }

    void migrate(Request request) throws XfrmException {
        UserMigrateState wanted = UserMigrateState.read(request.payload());
        service.migrateState(MigrationDecoder.decode(wanted, request.attributes()), request.origin());
    }

    private static long threshold(Request request, int attribute) {
        boolean given = request.attributes().has(attribute);
        return given ? Integer.toUnsignedLong(request.attributes().getInt(attribute, 0)) : StateSpec.ABSENT;
    }

    private static StateSpec spec(Request request) throws XfrmException {
        return StateDecoder.decode(UsersaInfo.readRequest(request.payload()), request.attributes());
    }

    private static StateKey key(Request request, UsersaId id) {
        return new StateKey(
                id.id(),
                id.family(),
                AttributeValues.mark(request.attributes()),
                AttributeValues.address(request.attributes(), XfrmAttribute.SRCADDR));
    }

    private static void sendState(Request request, State state) {
        NetlinkWriter reply = request.reply(XfrmMessage.NEWSA);
        StateEncoder.putInfo(reply, state);
        StateEncoder.putAttributes(reply, state);
        request.send(reply);
    }
}
