package org.xfrmbridge.km;

import java.util.function.Predicate;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Every control verb of XFRM, once, for all front ends. Requests arrive decoded; what a kernel's xfrm_user.c checks in
 * a structure's values beyond its lengths is checked here, in the kernel's order. All calls on the control thread. A
 * refused request has changed nothing (but see allocateSpi). The keys of a request are taken over and cleared as soon
 * as no State needs them, also when it is refused.
 */
public interface XfrmService {
    // States

    /** {@code XFRM_MSG_NEWSA}. EEXIST if there is a valid one; a larval one of the same seq is replaced. */
    State addState(StateSpec spec, Origin origin) throws XfrmException;

    /**
     * {@code XFRM_MSG_UPDSA}. ESRCH if there is none; a larval one is replaced by a real one, a live one adopts
     * lifetimes, encapsulation and marks but neither keys nor counters. Returns the State that is there then; listeners
     * are shown the request.
     */
    State updateState(StateSpec spec, Origin origin) throws XfrmException;

    /** {@code XFRM_MSG_DELSA}. ESRCH if there is none. */
    void deleteState(StateKey key, Origin origin) throws XfrmException;

    /**
     * {@code XFRM_MSG_GETSA}. ESRCH if there is none; EINVAL if its protocol has no Spis and the key no source address.
     */
    State getState(StateKey key) throws XfrmException;

    /** {@code XFRM_MSG_GETAE}, which names every State by its Spi. ESRCH if there is none. */
    State getReplay(StateKey key) throws XfrmException;

    /**
     * {@code XFRM_MSG_ALLOCSPI}: a larval State with a Spi of the range. ENOENT if none is free: the larval State then
     * waits for one.
     */
    State allocateSpi(SpiRequest request) throws XfrmException;

    /**
     * {@code XFRM_MSG_FLUSHSA}, protocol 0 for all. ESRCH if there was none, which the caller hides: to a client that
     * is success.
     */
    void flushStates(int protocol, Origin origin) throws XfrmException;

    /** A walk over all States, youngest first as in a kernel, that stays valid while States come and go. */
    Dump<State> states(Predicate<State> filter);

    /** {@code XFRM_MSG_NEWAE}: sets replay and lifetime counters of a State; null leaves a part alone. */
    void updateReplay(ReplayUpdate update, Origin origin) throws XfrmException;

    /**
     * {@code XFRM_MSG_EXPIRE} from a client: acts as if the limit were reached. ENOENT if there is none, EINVAL if it
     * is larval.
     */
    void expireState(StateKey key, boolean hard, Origin origin) throws XfrmException;

    /**
     * {@code XFRM_MSG_MIGRATE_STATE}. ESRCH if there is no such State, EEXIST if the new name is another's. Returns the
     * State that is there then.
     */
    State migrateState(StateMigration migration, Origin origin) throws XfrmException;

    StateCounts stateCounts();

    // Policies

    /**
     * {@code XFRM_MSG_NEWPOLICY} (exclusive: EEXIST if the selector has one) or {@code XFRM_MSG_UPDPOLICY} (replaces).
     */
    Policy addPolicy(PolicySpec spec, boolean exclusive, Origin origin) throws XfrmException;

    /** {@code XFRM_MSG_DELPOLICY}. ENOENT if there is none. */
    Policy deletePolicy(PolicyKey key, Origin origin) throws XfrmException;

    /** {@code XFRM_MSG_GETPOLICY}. ENOENT if there is none. */
    Policy getPolicy(PolicyKey key) throws XfrmException;

    /** {@code XFRM_MSG_POLEXPIRE} from a client. */
    void expirePolicy(PolicyKey key, boolean hard, Origin origin) throws XfrmException;

    /**
     * {@code XFRM_MSG_FLUSHPOLICY}; socket policies stay. ESRCH if there was none, which the caller hides: to a client
     * that is success.
     */
    void flushPolicies(PolicySpec.Type type, Origin origin) throws XfrmException;

    /**
     * {@code IP_XFRM_POLICY} and {@code IP_IPSEC_POLICY}: the policy of one direction of a socket, instead of the one
     * there was. EOPNOTSUPP for what may send packets of any protocol, as only their own are known by it.
     *
     * @param owner of the socket's number, cookie
     * @param via what the client said it by
     */
    Policy setSocketPolicy(Object owner, long cookie, LocalEndpoint at, PolicySpec spec, Origin.Interface via)
            throws XfrmException;

    /** {@code IP_XFRM_POLICY} without a policy: the socket has none from then on. */
    void clearSocketPolicies(Object owner, long cookie);

    /**
     * A walk over all Policies of a type (null: of both, as a GETPOLICY dump wants), socket policies among them,
     * youngest first as in a kernel.
     */
    Dump<Policy> policies(PolicySpec.Type type);

    /**
     * {@code XFRM_MSG_MIGRATE}. ENOENT if no Policy matches the selector's traffic, ENODATA if none of its templates
     * moves or a State cannot.
     */
    void migrate(Migration migration) throws XfrmException;

    PolicyCounts policyCounts();

    void setHashThresholds(HashThresholds ipv4, HashThresholds ipv6) throws XfrmException;

    Defaults defaults();

    void setDefaults(Defaults defaults, Origin origin) throws XfrmException;

    // Key managers

    /** Registers a front end; it hears of every change from now on, and is asked for States that are missing. */
    void register(KeyManager keyManager);

    /** Registers who only hears. */
    void listen(ChangeListener listener);

    /**
     * Somebody has begun to listen for States that expire, group EXPIRE or SADB_REGISTER: what it missed is told now.
     */
    void listen(ExpiryListener listener);

    /** {@code acq_expires}: seconds a larval State lives, as in /proc/sys/net/core/xfrm_acq_expires. */
    int acquireExpireSeconds();

    void setAcquireExpireSeconds(int seconds);

    /** {@code XFRM_MSG_ACQUIRE} from a client: announces that it could not negotiate. */
    void reportAcquireFailure(Selector selector, StateSpec template, PolicySpec policy, AlgorithmMasks masks)
            throws XfrmException;

    /**
     * {@code SADB_ACQUIRE} with an error from a client: the negotiation of that number failed. Its larval State stays
     * and keeps packets from asking again until it expires. Nothing happens if there is none.
     */
    void failAcquire(int sequence);

    // What requests and answers are made of

    /** Algorithms a client of ACQUIRE could have used, in place of those of the Policy's templates. */
    record AlgorithmMasks(int auth, int cipher, int compression) {}

    /** {@code struct xfrm_userspi_info} and its attributes; Spis in host order, unsigned, both inclusive. */
    record SpiRequest(StateSpec spec, int minSpi, int maxSpi, Origin origin) {}

    /**
     * What NEWAE carries; null and -1 parts were absent, thresholds and seconds are unsigned.
     *
     * @param replay XFRMA_REPLAY_VAL, which a State with a bitmap has no use for
     * @param bitmap XFRMA_REPLAY_ESN_VAL, which any other State has no use for
     */
    record ReplayUpdate(
            StateKey key,
            int reqid,
            ReplayState replay,
            ReplayState bitmap,
            StateSpec.LifetimeCurrent usage,
            long replayMaxDifference,
            long replayMaxAge,
            long mappingMaxAgeSeconds,
            boolean replace) {}

    /** {@code struct xfrmu_sadhinfo} and XFRMA_SAD_CNT. */
    record StateCounts(int states, int hashBuckets, int hashBucketsMax) {}

    /**
     * {@code struct xfrmu_spdinfo}, {@code xfrmu_spdhinfo} and the thresholds. Arrays are indexed by {@link Direction}.
     */
    record PolicyCounts(
            int[] global,
            int[] socket,
            int hashBuckets,
            int hashBucketsMax,
            HashThresholds ipv4,
            HashThresholds ipv6) {}

    /** {@code struct xfrmu_spdhthresh}: least prefix lengths for the exact table. Kept and reported. */
    record HashThresholds(int localPrefix, int remotePrefix) {}

    /** {@code struct xfrm_userpolicy_default}: 0 unspecified, 1 block, 2 accept. */
    record Defaults(int in, int forward, int out) {}
}
