package org.xfrmbridge.km;

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
    private final Spd spd;
    private final PolicyExpiry expiry;
    private final KeyManagers keyManagers;
    private final Clock clock;
    private final MemoryReserve reserve;

    PolicyVerbs(Spd spd, PolicyExpiry expiry, KeyManagers keyManagers, Clock clock, MemoryReserve reserve) {
        this.spd = spd;
        this.expiry = expiry;
        this.keyManagers = keyManagers;
        this.clock = clock;
        this.reserve = reserve;
    }

    Policy add(PolicySpec request, boolean exclusive, Origin origin) throws XfrmException {
        // What PF_KEY can say is right by its form.
        PolicySpec verified = origin.via() == Origin.Interface.NETLINK ? PolicyRules.verify(request) : request;
        PolicySpec spec = verified.withSanitizedMark();
        if (exclusive || !reserve.hasRoom() && !isThere(spec)) {
            reserve.requireRoom();
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
