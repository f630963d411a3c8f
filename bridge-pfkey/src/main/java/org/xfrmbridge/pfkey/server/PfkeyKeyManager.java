package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.io.ClientLoad;
import org.xfrmbridge.km.KeyManager;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.RequestListener;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.pfkey.map.MigrationEncoder;
import org.xfrmbridge.pfkey.map.PolicyDecoder;
import org.xfrmbridge.pfkey.map.PolicyEncoder;
import org.xfrmbridge.pfkey.map.Protocols;
import org.xfrmbridge.pfkey.map.StateEncoder;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;

/**
 * PF_KEY as a key manager, {@code pfkeyv2_mgr}: all its sockets, and what the core tells as messages to those who
 * should hear. The answer to a change is the news of it, which goes to every socket, the asker's among them. Encodes
 * nothing that nobody would hear. PF_KEY has no words for replay counters and default verdicts; of a policy that
 * expired (X_SPDEXPIRE) Linux tells nobody. Control thread only.
 */
public final class PfkeyKeyManager implements KeyManager {
    // What sadb_msg_reserved of a message about a Policy counts in a kernel: references, as many as its code happens to
    // hold there.
    static final int REFERENCES_TOLD = 3;
    static final int REFERENCES_DUMPED = 2;
    private static final int REFERENCES_DELETED = 1;

    /** Makes a message when somebody is there to hear it. */
    interface News {
        byte[] encode() throws XfrmException;
    }

    private final List<PfkeySession> sessions = new ArrayList<>();
    private final ReqidAllocator reqids = new ReqidAllocator();
    private RequestListener requests = RequestListener.NOBODY;
    private long lostByGone;
    private PfkeySession asking;

    void add(PfkeySession session) {
        sessions.add(session);
    }

    void remove(PfkeySession session) {
        if (sessions.remove(session)) {
            lostByGone += session.lostEvents();
        }
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

    ReqidAllocator reqids() {
        return reqids;
    }

    /**
     * Reads IP_IPSEC_POLICY or IPV6_IPSEC_POLICY as {@link PolicyDecoder#ofSocket}; transforms that want a reqid of
     * their own get one.
     */
    public PolicySpec socketPolicy(ByteBuffer option, int family, XfrmService service) throws XfrmException {
        return PolicyDecoder.ofSocket(option, family, () -> reqids.allocate(service));
    }

    /**
     * While this request is handled, what its socket is sent is an answer, which is never lost. Null when it is done.
     */
    void serving(PfkeySession session) {
        asking = session;
    }

    /**
     * {@code pfkey_broadcast}. A promiscuous socket that is meant, too, gets it twice.
     *
     * @param message taken over and wiped
     * @param one whom it answers: it gets it in any case, and never loses it; null for nobody
     */
    void broadcast(byte[] message, BroadcastScope scope, PfkeySession one) {
        for (PfkeySession session : sessions) {
            if (session.isPromiscuous() && session.takesEvent()) {
                session.event(message.clone());
            }
            if (session != one && scope.includes(session) && hears(session)) {
                deliver(session, message.clone());
            }
        }
        if (one != null) {
            one.reply(message);
        } else {
            Arrays.fill(message, (byte) 0);
        }
    }

    private boolean hears(PfkeySession session) {
        return session == asking || session.takesEvent();
    }

    private void deliver(PfkeySession session, byte[] message) {
        if (session == asking) {
            session.reply(message);
        } else {
            session.event(message);
        }
    }

    /** For sockets that are behind and lose it, a message is not even made. */
    private void tell(BroadcastScope scope, News news) {
        if (!isHeard(scope)) {
            return;
        }
        try {
            broadcast(news.encode(), scope, null);
        } catch (XfrmException e) {
            // PF_KEY has no words for it: a kernel is silent, too.
            return;
        }
    }

    private boolean isHeard(BroadcastScope scope) {
        for (PfkeySession session : sessions) {
            if ((session.isPromiscuous() || scope.includes(session)) && hears(session)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        int type = switch (change) {
            case NEW -> SadbType.ADD;
            case UPDATE -> SadbType.UPDATE;
            case DELETE -> SadbType.DELETE;
        };
        tell(BroadcastScope.ALL, () -> StateEncoder.message(header(type, state, origin), state));
    }

    private static SadbMsg header(int type, State state, Origin origin) {
        return new SadbMsg(type, Protocols.toSatype(state.id().protocol()), origin.sequence(), origin.portId());
    }

    @Override
    public void statesFlushed(int protocol, Origin origin) {
        int satype = Protocols.toSatype(protocol);
        tell(
                BroadcastScope.ALL,
                () -> new SadbMsg(SadbType.FLUSH, satype, origin.sequence(), origin.portId())
                        .answeredWith(0)
                        .toBytes());
    }

    @Override
    public void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {
        if (policy.spec().type() != PolicySpec.Type.MAIN) {
            return;
        }
        int type = switch (change) {
            case NEW -> SadbType.X_SPDADD;
            case UPDATE -> SadbType.X_SPDUPDATE;
            case DELETE -> byIndex ? SadbType.X_SPDDELETE2 : SadbType.X_SPDDELETE;
        };
        int references = change == Change.DELETE ? REFERENCES_DELETED : REFERENCES_TOLD;
        SadbMsg header = policyHeader(type, references, origin.sequence(), origin.portId());
        tell(BroadcastScope.ALL, () -> PolicyEncoder.message(header, policy));
    }

    static SadbMsg policyHeader(int type, int references, int sequence, int pid) {
        return new SadbMsg(SadbMsg.VERSION, type, 0, Satype.UNSPEC, 0, references, sequence, pid);
    }

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {
        if (type == PolicySpec.Type.MAIN) {
            SadbMsg header = new SadbMsg(SadbType.X_SPDFLUSH, Satype.UNSPEC, origin.sequence(), origin.portId());
            tell(BroadcastScope.ALL, () -> header.answeredWith(0).toBytes());
        }
    }

    @Override
    public void stateExpired(State state, boolean hard, int portId) {
        tell(BroadcastScope.REGISTERED, () -> expiry(state, hard));
    }

    private static byte[] expiry(State state, boolean hard) throws XfrmException {
        return StateEncoder.expiry(
                header(SadbType.EXPIRE, state, Origin.KERNEL),
                state,
                hard ? SadbExt.LIFETIME_HARD : SadbExt.LIFETIME_SOFT);
    }

    /** To one socket alone. */
    void tellExpiry(State state, boolean hard, PfkeySession session) {
        if (!session.takesEvent()) {
            return;
        }
        try {
            session.event(expiry(state, hard));
        } catch (XfrmException e) {
            // PF_KEY has no words for it: a kernel is silent, too.
            return;
        }
    }

    @Override
    public boolean acquire(Acquire acquire) {
        State larval = acquire.larval();
        SadbMsg header =
                header(SadbType.ACQUIRE, larval, new Origin(larval.spec().seq(), 0));
        tell(BroadcastScope.REGISTERED, () -> PolicyEncoder.acquire(header, acquire));
        return sessions.stream().anyMatch(PfkeySession::isRegistered);
    }

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {
        if (state.isEncapsulatedEsp()) {
            SadbMsg header = header(
                    SadbType.X_NAT_T_NEW_MAPPING, state, new Origin(state.spec().seq(), 0));
            tell(BroadcastScope.REGISTERED, () -> StateEncoder.mapping(header, state, newSaddr, newSport));
        }
    }

    @Override
    public void migrated(Migration migration, Policy policy) {
        if (migration.type() == PolicySpec.Type.MAIN) {
            tell(BroadcastScope.ALL, () -> MigrationEncoder.message(migration));
        }
    }

    /** What /proc/net/pfkey shows. As to an unprivileged reader of a kernel, without addresses. */
    public String procText() {
        StringBuilder text = new StringBuilder("sk       RefCnt Rmem   Wmem   User   Inode\n");
        for (PfkeySession session : sessions) {
            text.append("%016x %-6d %-6d %-6d %-6s %-6d%n"
                    .formatted(
                            0,
                            2,
                            session.waitingBytes(),
                            0,
                            Integer.toUnsignedString(session.client().uid()),
                            session.client().inode()));
        }
        return text.toString();
    }
}
