package org.xfrmbridge.km;

import java.util.Collection;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.db.SpiAllocator;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * The control side of XFRM, whole: verbs for the front ends, timers, and answers to what datapath threads tell.
 *
 * <p>One thread, the control thread, calls everything here but the methods of {@link DatapathEvents}, which any thread
 * calls and which only queue. That thread's loop is: {@link #drainEvents}, requests, {@link #runTimers}, then sleep
 * until {@link #nextDeadlineNs} or a request or the wakeup comes.
 */
public final class XfrmEngine implements XfrmService, DatapathEvents {
    /**
     * {@code xfrm_state_hashmax} and {@code xfrm_policy_hashmax}: what clients are told, though tables here grow
     * beyond.
     */
    private static final int HASH_MAX = 1 << 20;

    /** How many States packets may wait for at a time, unless {@link #limitAcquires} says otherwise. */
    public static final int DEFAULT_ACQUIRES = 4096;

    private final Sad sad;
    private final Spd spd;
    private final ControlTimers timers;
    private final DatapathQueue events;
    private final KeyManagers keyManagers = new KeyManagers();
    private final SysctlValues sysctls = new SysctlValues();
    private final Acquires acquires = new Acquires();
    private final StateTable states;
    private final StateExpiry stateExpiry;
    private final ReplayNotices replayNotices;
    private final NatMappings natMappings;
    private final NatKeepalives keepalives;
    private final StateVerbs stateVerbs;
    private final LarvalStates larvalStates;
    private final Acquirer acquirer;
    private final LostStates lostStates;
    private final PolicyExpiry policyExpiry;
    private final PolicyVerbs policyVerbs;
    private final MigrateVerb migrateVerb;
    private final MigrateStateVerb migrateStateVerb;
    private final DefaultVerdicts defaultVerdicts;
    private PolicyGate policyGate = () -> {};

    /**
     * @param random where Spis come from: a peer must not guess them
     * @param wakeup called on datapath threads when there is something to drain; must return at once
     */
    public XfrmEngine(Sad sad, Spd spd, Clock clock, RandomGenerator random, Runnable wakeup) {
        this.sad = sad;
        this.spd = spd;
        timers = new ControlTimers(clock);
        events = new DatapathQueue(wakeup);
        states = new StateTable(sad, acquires);
        stateExpiry = new StateExpiry(states, keyManagers, timers, clock);
        replayNotices = new ReplayNotices(keyManagers, timers);
        keepalives = new NatKeepalives(timers, clock);
        states.watch(stateExpiry, replayNotices, keepalives);
        natMappings = new NatMappings(keyManagers, clock);
        stateVerbs = new StateVerbs(states, stateExpiry, replayNotices, keyManagers, clock);
        larvalStates = new LarvalStates(sad, states, new SpiAllocator(sad, random), sysctls, clock);
        acquirer = new Acquirer(sad, states, acquires, keyManagers, sysctls, clock);
        lostStates = new LostStates(timers);
        policyExpiry = new PolicyExpiry(spd, keyManagers, timers, clock);
        policyVerbs = new PolicyVerbs(spd, policyExpiry, keyManagers, clock);
        migrateVerb = new MigrateVerb(sad, spd, states, policyExpiry, keyManagers, clock);
        migrateStateVerb = new MigrateStateVerb(states, keyManagers, clock);
        defaultVerdicts = new DefaultVerdicts(spd);
    }

    // The control thread's loop

    /** Handles what datapath threads have told; returns how much that was. */
    public int drainEvents() {
        return events.drain();
    }

    /** Runs the timers that are due; returns how many those were. */
    public int runTimers() {
        return timers.run();
    }

    /** When the next timer is due on {@link Clock#nowNs}, {@link Long#MAX_VALUE} if none is set. */
    public long nextDeadlineNs() {
        return timers.nextDeadlineNs();
    }

    /**
     * Before the first State comes; until then NAT keepalives go nowhere.
     *
     * @param sender sends one between a State's addresses and encapsulation ports; false if there is no way to the peer
     *     at the moment
     */
    public void setKeepaliveSender(Predicate<State> sender) {
        keepalives.setSender(sender);
    }

    /**
     * Control thread, or before it runs.
     *
     * @param most larval States that packets may cause at a time; those of one Policy are at most as many as are still
     *     free
     */
    public void limitAcquires(int most) {
        acquires.limit(most);
    }

    /** @param reserve asked before a request makes one more State or Policy */
    public void setMemoryReserve(MemoryReserve reserve) {
        states.setReserve(reserve);
        policyVerbs.setReserve(reserve);
    }

    /**
     * @param wiper told of each State that has carried packets when it has gone and its own keys are wiped: datapath
     *     threads made copies of them
     */
    public void setWiper(Consumer<State> wiper) {
        states.setWiper(wiper);
    }

    /** @param states that were there before, and went without a word: who listens is told. Once, before anybody does */
    public void setLostStates(Collection<State> states) {
        lostStates.load(states);
    }

    /** Those of which not everybody who listens may have been told. */
    public Collection<State> lostStates() {
        return lostStates.all();
    }

    @Override
    public void listen(ExpiryListener listener) {
        lostStates.tell(listener);
    }

    /** @param gate asked before policies change, but those of sockets, by whatever client */
    public void setPolicyGate(PolicyGate gate) {
        policyGate = gate;
    }

    @Override
    public void register(KeyManager keyManager) {
        keyManagers.add(keyManager);
    }

    @Override
    public void listen(ChangeListener listener) {
        keyManagers.listen(listener);
    }

    // States

    @Override
    public State addState(StateSpec spec, Origin origin) throws XfrmException {
        return noted(stateVerbs.add(spec, origin));
    }

    @Override
    public State updateState(StateSpec spec, Origin origin) throws XfrmException {
        return noted(stateVerbs.update(spec, origin));
    }

    private State noted(State state) {
        lostStates.comes(state);
        return state;
    }

    @Override
    public void deleteState(StateKey key, Origin origin) throws XfrmException {
        lostStates.goes(key);
        stateVerbs.delete(key, origin);
    }

    @Override
    public State getState(StateKey key) throws XfrmException {
        return stateVerbs.get(key);
    }

    @Override
    public State getReplay(StateKey key) throws XfrmException {
        return stateVerbs.getBySpi(key);
    }

    @Override
    public State allocateSpi(SpiRequest request) throws XfrmException {
        return larvalStates.allocateSpi(request);
    }

    @Override
    public void flushStates(int protocol, Origin origin) throws XfrmException {
        lostStates.flush(protocol);
        stateVerbs.flush(protocol, origin);
    }

    @Override
    public Dump<State> states(Predicate<State> filter) {
        return sad.walk(filter);
    }

    @Override
    public void updateReplay(ReplayUpdate update, Origin origin) throws XfrmException {
        stateVerbs.updateReplay(update, origin);
    }

    @Override
    public void expireState(StateKey key, boolean hard, Origin origin) throws XfrmException {
        stateVerbs.expire(key, hard, origin);
    }

    @Override
    public State migrateState(StateMigration migration, Origin origin) throws XfrmException {
        return migrateStateVerb.migrate(migration, origin);
    }

    @Override
    public StateCounts stateCounts() {
        return new StateCounts(sad.size(), sad.buckets(), HASH_MAX);
    }

    // Policies

    @Override
    public Policy addPolicy(PolicySpec spec, boolean exclusive, Origin origin) throws XfrmException {
        policyGate.beforeChange();
        return policyVerbs.add(spec, exclusive, origin);
    }

    @Override
    public Policy deletePolicy(PolicyKey key, Origin origin) throws XfrmException {
        return policyVerbs.delete(key, origin);
    }

    @Override
    public Policy getPolicy(PolicyKey key) throws XfrmException {
        return policyVerbs.get(key);
    }

    @Override
    public void expirePolicy(PolicyKey key, boolean hard, Origin origin) throws XfrmException {
        policyVerbs.expire(key, hard, origin);
    }

    @Override
    public void flushPolicies(PolicySpec.Type type, Origin origin) throws XfrmException {
        policyVerbs.flush(type, origin);
    }

    @Override
    public Dump<Policy> policies(PolicySpec.Type type) {
        return spd.walk(type);
    }

    @Override
    public void migrate(Migration migration) throws XfrmException {
        policyGate.beforeChange();
        migrateVerb.migrate(migration);
    }

    @Override
    public PolicyCounts policyCounts() {
        Direction[] directions = Direction.values();
        int[] global = new int[directions.length];
        int[] socket = new int[directions.length];
        for (Direction direction : directions) {
            global[direction.number()] = spd.count(direction);
            socket[direction.number()] = spd.socketCount(direction);
        }
        // A kernel reports the mask of this table where it reports the size of the States'.
        int mask = spd.buckets() - 1;
        return new PolicyCounts(global, socket, mask, HASH_MAX, sysctls.ipv4Thresholds(), sysctls.ipv6Thresholds());
    }

    @Override
    public void setHashThresholds(HashThresholds ipv4, HashThresholds ipv6) throws XfrmException {
        sysctls.thresholds(ipv4, ipv6);
    }

    @Override
    public Defaults defaults() {
        return defaultVerdicts.get();
    }

    @Override
    public void setDefaults(Defaults defaults, Origin origin) throws XfrmException {
        policyGate.beforeChange();
        defaultVerdicts.set(defaults);
        Defaults now = defaultVerdicts.get();
        keyManagers.tell(listener -> listener.defaultsChanged(now, origin));
    }

    @Override
    public void reportAcquireFailure(Selector selector, StateSpec template, PolicySpec policy, AlgorithmMasks masks)
            throws XfrmException {
        acquirer.announce(selector, template, policy, masks);
    }

    @Override
    public void failAcquire(int sequence) {
        larvalStates.fail(sequence);
    }

    @Override
    public int acquireExpireSeconds() {
        return sysctls.acquireExpireSeconds();
    }

    @Override
    public void setAcquireExpireSeconds(int seconds) {
        sysctls.acquireExpireSeconds(seconds);
    }

    // From the datapath, any thread

    @Override
    public boolean acquire(Policy policy, Template template, Flow flow, Address daddr, Address saddr) {
        if (!acquires.hasRoom(policy)) {
            return false;
        }
        Flow copy = new Flow().copyFrom(flow);
        events.tell(() -> acquirer.acquire(new Acquirer.Want(policy, template, copy, daddr, saddr)));
        return true;
    }

    @Override
    public void limitReached(State state) {
        events.tellOnce(new Told(Topic.LIMIT, state), () -> stateExpiry.checkLimits(state));
    }

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {
        events.tell(() -> natMappings.changed(state, newSaddr, newSport));
    }

    @Override
    public boolean hearsReplay() {
        return keyManagers.hearReplay();
    }

    @Override
    public void replayAdvanced(State state) {
        events.tellOnce(new Told(Topic.REPLAY, state), () -> replayNotices.advanced(state));
    }

    private enum Topic {
        LIMIT,
        REPLAY
    }

    /** What is told once only until it was looked at. */
    private record Told(Topic topic, State state) {}
}
