package org.xfrmbridge.km;

import java.security.SecureRandom;
import java.util.Collection;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
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

    /** How many States packets may wait for at a time, unless {@link Builder#acquires} says otherwise. */
    public static final int DEFAULT_ACQUIRES = 4096;

    /** The reserve of tests and of programs that own their memory. */
    private static final BooleanSupplier ENDLESS = () -> true;

    private final Sad sad;
    private final Spd spd;
    private final ControlTimers timers;
    private final DatapathQueue events;
    private final KeyManagers keyManagers = new KeyManagers();
    private final SysctlValues sysctls = new SysctlValues();
    private final PendingAcquires acquires;
    private final StateLifecycle states;
    private final StateExpiry stateExpiry;
    private final ReplayNotices replayNotices;
    private final NatMappings natMappings;
    private final StateVerbs stateVerbs;
    private final LarvalStates larvalStates;
    private final Acquirer acquirer;
    private final LostStates lostStates;
    private final PolicyExpiry policyExpiry;
    private final PolicyVerbs policyVerbs;
    private final MigrateVerb migrateVerb;
    private final MigrateStateVerb migrateStateVerb;
    private final DefaultVerdicts defaultVerdicts;

    /**
     * What an engine is made with. All but the databases and the clock has a default, which suits a test or a program
     * that owns its memory.
     */
    public static final class Builder {
        final Databases databases;
        final Clock clock;
        BooleanSupplier reserve = ENDLESS;
        Predicate<State> keepaliveSender = state -> true;
        Consumer<State> wiper = state -> {};
        private RandomGenerator random = new SecureRandom();
        private Runnable wakeup = () -> {};
        private int acquires = DEFAULT_ACQUIRES;
        int cpus = Runtime.getRuntime().availableProcessors();
        private Collection<State> lostStates = List.of();

        private Builder(Databases databases, Clock clock) {
            this.databases = databases;
            this.clock = clock;
        }

        /** Where Spis come from: a peer must not guess them. */
        public Builder random(RandomGenerator generator) {
            random = generator;
            return this;
        }

        /** Called on datapath threads when there is something to drain; must return at once. */
        public Builder wakeup(Runnable signal) {
            wakeup = signal;
            return this;
        }

        /**
         * How many larval States packets may cause at a time; those of one Policy are at most as many as are still
         * free.
         */
        public Builder acquires(int most) {
            acquires = most;
            return this;
        }

        /**
         * How many CPUs there are that States may be for. Those of the machine at least, to which key managers look;
         * outbound thread n of the datapath is CPU n.
         */
        public Builder cpus(int least) {
            cpus = Math.max(cpus, least);
            return this;
        }

        /**
         * Asked before a request makes one more State or Policy: whether memory is left for it. What is kept in reserve
         * is for what packets cause and for the work on requests, so that one which does not fit is refused (ENOMEM, as
         * by a kernel) and all others are still answered.
         */
        public Builder reserve(BooleanSupplier hasRoom) {
            reserve = hasRoom;
            return this;
        }

        /**
         * Sends a NAT keepalive between a State's addresses and encapsulation ports; false if there is no way to the
         * peer at the moment.
         */
        public Builder keepaliveSender(Predicate<State> sender) {
            keepaliveSender = sender;
            return this;
        }

        /**
         * Told of each State that has carried packets when it has gone and its own keys are wiped: datapath threads
         * made copies of them.
         */
        public Builder wiper(Consumer<State> told) {
            wiper = told;
            return this;
        }

        /** States that were there before, and went without a word: who listens is told. */
        public Builder lostStates(Collection<State> states) {
            lostStates = states;
            return this;
        }

        public XfrmEngine build() {
            return new XfrmEngine(this);
        }
    }

    /** @param databases may have policies already, which go on; no States */
    public static Builder builder(Databases databases, Clock clock) {
        return new Builder(databases, clock);
    }

    private XfrmEngine(Builder setup) {
        Clock clock = setup.clock;
        sad = setup.databases.sad();
        spd = setup.databases.spd();
        timers = new ControlTimers(clock);
        events = new DatapathQueue(setup.wakeup);
        acquires = new PendingAcquires(setup.acquires);
        states = new StateLifecycle(setup, acquires, keyManagers, timers);
        stateExpiry = states.expiry();
        replayNotices = states.replayNotices();
        natMappings = new NatMappings(keyManagers, clock);
        stateVerbs = new StateVerbs(states, stateExpiry, replayNotices, keyManagers, clock);
        larvalStates = new LarvalStates(sad, states, new SpiAllocator(sad, setup.random), sysctls, clock);
        acquirer = new Acquirer(sad, states, acquires, keyManagers, sysctls, clock);
        lostStates = new LostStates(timers, setup.lostStates);
        policyExpiry = new PolicyExpiry(spd, keyManagers, timers, clock);
        policyVerbs = new PolicyVerbs(setup.databases, policyExpiry, keyManagers, clock, setup.reserve);
        migrateVerb = new MigrateVerb(sad, spd, states, policyExpiry, keyManagers, clock);
        migrateStateVerb = new MigrateStateVerb(states, keyManagers, clock);
        defaultVerdicts = new DefaultVerdicts(spd);
        keyManagers.listen(new AlgorithmTrial());
        Dump<Policy> policies = spd.walk(null);
        for (Policy policy = policies.next(); policy != null; policy = policies.next()) {
            policyExpiry.start(policy);
        }
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

    /** What became of States that are no more. Control thread. */
    public RemovedStates removedStates() {
        return states.removed();
    }

    /** What they have carried. Control thread. */
    public RetiredTraffic retiredTraffic() {
        return states.retiredTraffic();
    }

    /** Those of which not everybody who listens may have been told. */
    public Collection<State> lostStates() {
        return lostStates.all();
    }

    @Override
    public void listen(ExpiryListener listener) {
        lostStates.tell(listener);
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
        keyManagers.beforePolicyChange();
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
    public Policy setSocketPolicy(Object owner, long cookie, LocalEndpoint at, PolicySpec spec, Origin.Interface via)
            throws XfrmException {
        return policyVerbs.set(owner, cookie, at, spec, via);
    }

    @Override
    public void clearSocketPolicies(Object owner, long cookie) {
        policyVerbs.clear(owner, cookie);
    }

    @Override
    public Dump<Policy> policies(PolicySpec.Type type) {
        return spd.walk(type);
    }

    @Override
    public void migrate(Migration migration) throws XfrmException {
        keyManagers.beforePolicyChange();
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
        keyManagers.beforePolicyChange();
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

    /** How many SAs packets wait for. Any thread. */
    public int openAcquires() {
        return acquires.open();
    }

    /** How much of what datapath threads have told is not handled yet. Any thread. */
    public int waitingEvents() {
        return events.waiting();
    }

    // From the datapath, any thread

    @Override
    public boolean acquire(
            Policy policy, Template template, Flow flow, Address daddr, Address saddr, ToIntFunction<Flow> device) {
        if (!acquires.hasRoom(policy)) {
            return false;
        }
        Flow copy = new Flow().copyFrom(flow);
        events.tell(() -> acquirer.acquire(new Acquirer.Want(policy, template, copy, daddr, saddr, device)));
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
