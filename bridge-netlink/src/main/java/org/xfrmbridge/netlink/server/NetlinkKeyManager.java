package org.xfrmbridge.netlink.server;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.io.ClientLoad;
import org.xfrmbridge.km.KeyManager;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.RequestListener;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.netlink.map.PolicyEncoder;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.EventGroup;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;

/**
 * NETLINK_XFRM as a key manager, {@code netlink_mgr}: turns what the core tells into multicast messages, one to a
 * datagram, for the sessions in the group, the asker's own among them. Encodes nothing that nobody would hear. Control
 * thread only.
 */
public final class NetlinkKeyManager implements KeyManager {
    /** Makes a message when somebody is there to hear it. */
    private interface Event {
        NetlinkWriter encode();
    }

    private final List<NetlinkSession> sessions = new ArrayList<>();
    private Dispatcher dispatcher;
    private RequestListener requests = RequestListener.NOBODY;
    private long lostByGone;
    private volatile boolean hearsReplay;

    void add(NetlinkSession session) {
        sessions.add(session);
    }

    /** The sessions share one: it is as large as all else that a session has. */
    Dispatcher dispatcher(XfrmService service) {
        if (dispatcher == null || !dispatcher.serves(service)) {
            dispatcher = new Dispatcher(service);
        }
        return dispatcher;
    }

    void remove(NetlinkSession session) {
        if (sessions.remove(session)) {
            lostByGone += session.lostEvents();
        }
        membershipChanged();
    }

    /** From now on this one hears of requests, instead of who did before. */
    public void onRequest(RequestListener listener) {
        requests = listener;
    }

    RequestListener requests() {
        return requests;
    }

    /** How far its clients are behind. */
    public ClientLoad clients() {
        return ClientLoad.of(sessions, lostByGone);
    }

    void membershipChanged() {
        hearsReplay = hasMembers(XfrmMessage.GROUP_AEVENTS);
    }

    private boolean hasMembers(int group) {
        for (NetlinkSession session : sessions) {
            if (session.isMember(group)) {
                return true;
            }
        }
        return false;
    }

    /** For a member that is behind and loses it, an event is not even made. */
    private void multicast(int group, Event event) {
        NetlinkWriter message = null;
        for (NetlinkSession session : sessions) {
            if (session.isMember(group) && session.takesEvent()) {
                if (message == null) {
                    message = event.encode();
                    EventGroup.put(message.written(), group);
                }
                session.event(message.written());
            }
        }
        if (message != null) {
            // It may hold keys.
            message.truncate(0);
        }
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        multicast(XfrmMessage.GROUP_SA, () -> switch (change) {
            case NEW -> EventEncoder.state(XfrmMessage.NEWSA, state, origin);
            case UPDATE -> EventEncoder.state(XfrmMessage.UPDSA, state, origin);
            case DELETE -> EventEncoder.stateDeleted(state, origin);
        });
    }

    @Override
    public void statesFlushed(int protocol, Origin origin) {
        multicast(XfrmMessage.GROUP_SA, () -> EventEncoder.statesFlushed(protocol, origin));
    }

    /** To one session alone, as one that is in the group. */
    void tellExpiry(State state, boolean hard, NetlinkSession session) {
        if (session.takesEvent()) {
            NetlinkWriter message = EventEncoder.stateExpired(state, hard ? 1 : 0, 0);
            EventGroup.put(message.written(), XfrmMessage.GROUP_EXPIRE);
            session.event(message.written());
        }
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        multicast(XfrmMessage.GROUP_EXPIRE, () -> EventEncoder.stateExpired(state, hard ? 1 : 0, portId));
    }

    @Override
    public void replayChanged(State state, int flags, Origin origin) {
        multicast(XfrmMessage.GROUP_AEVENTS, () -> EventEncoder.replayChanged(state, flags, origin));
    }

    @Override
    public boolean hearsReplay() {
        return hearsReplay;
    }

    @Override
    public void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {
        multicast(XfrmMessage.GROUP_POLICY, () -> switch (change) {
            case NEW -> EventEncoder.policy(XfrmMessage.NEWPOLICY, policy, origin);
            case UPDATE -> EventEncoder.policy(XfrmMessage.UPDPOLICY, policy, origin);
            case DELETE -> EventEncoder.policyDeleted(policy, name(policy.spec(), byIndex), origin);
        });
    }

    private static UserpolicyId name(PolicySpec spec, boolean byIndex) {
        return byIndex ? EventEncoder.byIndex(spec) : EventEncoder.bySelector(spec);
    }

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {
        multicast(XfrmMessage.GROUP_POLICY, () -> EventEncoder.policiesFlushed(type, origin));
    }

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {
        multicast(
                XfrmMessage.GROUP_EXPIRE,
                () -> EventEncoder.policyExpired(
                        PolicyEncoder.info(policy, direction.number()), policy.spec(), hard ? 1 : 0, portId));
    }

    @Override
    public boolean acquire(Acquire acquire) {
        multicast(XfrmMessage.GROUP_ACQUIRE, () -> EventEncoder.acquire(acquire));
        return hasMembers(XfrmMessage.GROUP_ACQUIRE);
    }

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {
        if (state.isEncapsulatedEsp()) {
            multicast(XfrmMessage.GROUP_MAPPING, () -> EventEncoder.mappingChanged(state, newSaddr, newSport));
        }
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        multicast(XfrmMessage.GROUP_MIGRATE, () -> EventEncoder.migrated(migration));
    }

    @Override
    public void stateMigrated(StateMigration migration, State moved, Origin origin) {
        multicast(XfrmMessage.GROUP_MIGRATE, () -> EventEncoder.stateMigrated(migration, moved, origin));
    }

    @Override
    public void defaultsChanged(Defaults defaults, Origin origin) {
        multicast(XfrmMessage.GROUP_POLICY, () -> EventEncoder.defaultsChanged(defaults));
    }
}
