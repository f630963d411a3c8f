package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.requireRoom;

import java.util.function.BooleanSupplier;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * NEWPOLICY, UPDPOLICY, DELPOLICY, GETPOLICY, FLUSHPOLICY and POLEXPIRE: the request handlers of {@code xfrm_user.c}
 * with {@code xfrm_policy_insert}. Each refuses before it changes anything. Control thread only.
 */
final class PolicyVerbs {
    private static final int IPPROTO_RAW = 255;

    private final Spd spd;
    private final SocketPolicies sockets;
    private final PolicyExpiry expiry;
    private final KeyManagers keyManagers;
    private final Clock clock;
    private final BooleanSupplier reserve;

    PolicyVerbs(
            Databases databases, PolicyExpiry expiry, KeyManagers keyManagers, Clock clock, BooleanSupplier reserve) {
        spd = databases.spd();
        sockets = databases.sockets();
        this.expiry = expiry;
        this.keyManagers = keyManagers;
        this.clock = clock;
        this.reserve = reserve;
    }

    Policy add(PolicySpec request, boolean exclusive, Origin origin) throws XfrmException {
        PolicySpec spec = verified(request, origin.via()).withSanitizedMark();
        if (exclusive || !reserve.getAsBoolean() && !isThere(spec)) {
            requireRoom(reserve);
        }
        long nowSeconds = clock.epochSeconds();
        Policy policy = exclusive ? spd.add(spec, nowSeconds) : spd.replace(spec, nowSeconds, expiry::stop);
        if (policy == null) {
            throw new XfrmException(Errno.EEXIST);
        }
        expiry.start(policy);
        keyManagers.policyChanged(exclusive ? Change.NEW : Change.UPDATE, policy, false, origin);
        return policy;
    }

    /** What PF_KEY can say is right by its form. */
    private static PolicySpec verified(PolicySpec request, Origin.Interface via) throws XfrmException {
        return via == Origin.Interface.NETLINK ? PolicyRules.verify(request) : request;
    }

    /** {@code xfrm_user_policy}. */
    Policy set(Object owner, long cookie, LocalEndpoint at, PolicySpec request, Origin.Interface via)
            throws XfrmException {
        PolicySpec spec = verified(request, via).withIndex(0);
        boolean bypass =
                spec.action() == PolicySpec.Action.ALLOW && spec.templates().isEmpty();
        if (at.protocol() == IPPROTO_RAW && !bypass) {
            throw new XfrmException(Errno.EOPNOTSUPP, "what such a socket sends may be of any protocol");
        }
        return sockets.setPolicy(owner, cookie, at, spec, clock.epochSeconds());
    }

    void clear(Object owner, long cookie) {
        sockets.clearPolicies(owner, cookie);
    }

    private boolean isThere(PolicySpec spec) {
        return spd.get(new PolicyKey(
                        spec.type(),
                        spec.direction(),
                        0,
                        spec.selector(),
                        spec.mark(),
                        spec.ifId(),
                        spec.securityContext()))
                != null;
    }

    Policy delete(PolicyKey key, Origin origin) throws XfrmException {
        Policy policy = get(key);
        remove(policy);
        keyManagers.policyChanged(Change.DELETE, policy, key.index() != 0, origin);
        return policy;
    }

    Policy get(PolicyKey key) throws XfrmException {
        PolicyRules.requireType(key.type());
        PolicyRules.requireDirection(key.direction());
        Policy policy = spd.get(key);
        if (policy == null) {
            throw new XfrmException(Errno.ENOENT);
        }
        return policy;
    }

    /** {@code xfrm_add_pol_expire}. */
    void expire(PolicyKey key, boolean hard, Origin origin) throws XfrmException {
        Policy policy = get(key);
        if (hard) {
            remove(policy);
        }
        keyManagers.policyExpired(policy, hard, origin.portId());
    }

    void flush(PolicySpec.Type type, Origin origin) throws XfrmException {
        PolicyRules.requireType(type);
        if (spd.removeAll(type, expiry::stop) == 0) {
            throw new XfrmException(Errno.ESRCH);
        }
        keyManagers.tell(km -> km.policiesFlushed(type, origin));
    }

    private void remove(Policy policy) {
        spd.remove(policy);
        expiry.stop(policy);
    }
}
