package org.xfrmbridge.daemon.selection;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.selection.ScopeSets.Limits;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.PolicyListener;
import org.xfrmbridge.db.SocketListener;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Keeps the table in the host's stack a superset of what the policies protect or block: nothing comes into force before
 * its packets are selected, and what is selected for nobody any more goes later.
 *
 * <p>A change of a few elements is put into the table at once. Of a burst, the first that comes too soon after others
 * makes its direction and family wide, and all that is gathered meanwhile follows in one batch, when nothing more came
 * for a moment. Control thread only, but for {@link #isClosed}.
 */
public final class Selection implements PolicyListener, SocketListener, ChangeListener {
    private static final Logger LOG = LoggerFactory.getLogger(Selection.class);
    private static final Limits LIMITS = new Limits(16, 16_384);

    private static final long CALM_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long LONGEST_WAIT_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long RETRY_NS = TimeUnit.SECONDS.toNanos(1);

    /** Single commits take no more than a tenth of the thread's time, and are no more than a hundred a second. */
    private static final int SHARE_OF_TIME = 10;

    private static final long LEAST_CHARGE_NS = TimeUnit.MILLISECONDS.toNanos(10);
    /** The first commit of a process takes long, and says nothing of the next. */
    private static final long MOST_CHARGE_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final long MOST_CREDIT_NS = TimeUnit.MILLISECONDS.toNanos(240);
    private static final int FEW_CHANGES = 256;

    private static final long NONE = Long.MAX_VALUE;
    private static final int[] FAMILIES = {AddressFamily.INET, AddressFamily.INET6};

    /** What keeps all packets where they are while the table cannot be told which to select. */
    public interface Barrier {
        /** No packet may pass: returns when none does. Must not fail. */
        void close();

        /** The table selects again what it should. What fails is called again. */
        void open() throws OsException;
    }

    private final Spd spd;
    private final SelectionTable table;
    private final Barrier barrier;
    private final Clock clock;
    private final int markBits;
    private final ScopeSets[] scopes = new ScopeSets[Direction.values().length * FAMILIES.length];
    private final Map<Element, Integer> ofSockets = new HashMap<>();
    private final Set<Direction> blocked = EnumSet.noneOf(Direction.class);

    private List<Level> levelsInTable = List.of();
    private Set<WideScope> wideInTable = Set.of();
    /** Whether something is wide only until the sets are told. */
    private boolean inBurst;

    private boolean started;
    private volatile boolean closed;

    private long firstChangeNs = NONE;
    private long lastChangeNs;
    private long retryNs = NONE;
    private long creditNs = MOST_CREDIT_NS;
    private long creditedNs;
    /** How many policies may be looked at again: as many as have come and gone. */
    private long walkCredit;

    /**
     * Listens to the databases from now on, and takes up what they have; the table is not asked before {@link #start}.
     *
     * @param barrier closed while the table fails
     * @param markBits of packets' marks that are the user's
     */
    public Selection(Databases databases, SelectionTable table, Barrier barrier, Clock clock, int markBits) {
        this(databases, table, barrier, clock, markBits, LIMITS);
    }

    Selection(Databases databases, SelectionTable table, Barrier barrier, Clock clock, int markBits, Limits limits) {
        spd = databases.spd();
        this.markBits = markBits;
        this.table = table;
        this.barrier = barrier;
        this.clock = clock;
        creditedNs = clock.nowNs();
        for (Direction direction : Direction.values()) {
            for (int family : FAMILIES) {
                scopes[number(direction, family)] = new ScopeSets(new WideScope(direction, family), limits);
            }
            if (spd.defaultAction(direction) == PolicySpec.Action.BLOCK) {
                blocked.add(direction);
            }
        }
        addPolicies(Set.of(scopes));
        spd.listen(this);
        databases.sockets().listen(this);
    }

    private static int number(Direction direction, int family) {
        return direction.number() * FAMILIES.length + (family == AddressFamily.INET ? 0 : 1);
    }

    private ScopeSets scope(Level level) {
        return scopes[number(level.direction(), level.family())];
    }

    /**
     * Puts all into the table, whatever it has: before packets pass, and when sockets of an earlier bridge are known
     * again.
     */
    public void start() throws OsException {
        started = true;
        commit();
    }

    /**
     * Whether the barrier is closed, as the table could not be told what to select. Policies are refused meanwhile. Any
     * thread.
     */
    public boolean isClosed() {
        return closed;
    }

    /** For people: in which directions all packets are selected, and why. */
    public List<String> wideScopes() {
        Set<WideScope> needed = wide();
        return wideInTable.stream()
                .map(scope -> "%s, %s: %s"
                        .formatted(
                                scope.direction().name().toLowerCase(Locale.ROOT),
                                scope.family() == AddressFamily.INET ? "IPv4" : "IPv6",
                                reason(scope, needed)))
                .sorted()
                .toList();
    }

    private String reason(WideScope scope, Set<WideScope> needed) {
        if (blocked.contains(scope.direction())) {
            return "a default verdict blocks";
        }
        return needed.contains(scope)
                ? "a policy is for all addresses, or there are too many to tell apart"
                : "policies are changing";
    }

    @Override
    public void comes(Policy policy) {
        walkCredit++;
        addNow(PolicyElements.of(policy.spec(), markBits));
    }

    @Override
    public void goes(Policy policy) {
        walkCredit++;
        remove(PolicyElements.of(policy.spec(), markBits));
    }

    @Override
    public void comes(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
        for (Element element : ofSocket(at, in, out)) {
            ofSockets.merge(element, 1, Integer::sum);
            addNow(element);
        }
    }

    @Override
    public void goes(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
        for (Element element : ofSocket(at, in, out)) {
            ofSockets.computeIfPresent(element, (same, count) -> count == 1 ? null : count - 1);
            remove(element);
        }
    }

    private List<Element> ofSocket(LocalEndpoint at, Policy in, Policy out) {
        List<Element> elements = new ArrayList<>(2);
        Element inbound = in == null ? null : PolicyElements.ofSocket(Direction.IN, at, in.spec(), markBits);
        Element outbound = out == null ? null : PolicyElements.ofSocket(Direction.OUT, at, out.spec(), markBits);
        if (inbound != null) {
            elements.add(inbound);
        }
        if (outbound != null) {
            elements.add(outbound);
        }
        return elements;
    }

    @Override
    public void defaultChanges(Direction direction, PolicySpec.Action action) {
        if (action != PolicySpec.Action.BLOCK) {
            if (blocked.remove(direction)) {
                noteChange();
            }
        } else if (blocked.add(direction)) {
            noteChange();
            for (int family : FAMILIES) {
                require(new WideScope(direction, family));
            }
        }
    }

    /**
     * What cannot be selected must not seem to be in force.
     *
     * @throws XfrmException ENOSPC while the table fails
     */
    @Override
    public void beforePolicyChange() throws XfrmException {
        if (closed) {
            retry();
        }
        if (closed) {
            throw new XfrmException(
                    Errno.ENOSPC, "the bridge cannot change its nftables table, so it takes no policies: see its log");
        }
    }

    /** @param element null for none */
    private void addNow(Element element) {
        if (element != null && !add(element)) {
            noteChange();
            require(scope(element.level()).scope);
        }
    }

    /** Returns whether the table selects its packets. */
    private boolean add(Element element) {
        return scope(element.level()).add(element);
    }

    /** @param element null for none */
    private void remove(Element element) {
        if (element != null && scope(element.level()).remove(element)) {
            noteChange();
        }
    }

    private void noteChange() {
        lastChangeNs = clock.nowNs();
        firstChangeNs = firstChangeNs == NONE ? lastChangeNs : firstChangeNs;
    }

    /** Returns when packets of the scope are selected, by what is gathered or by all being so. */
    private void require(WideScope scope) {
        if (!started || closed || wideInTable.contains(scope)) {
            return;
        }
        try {
            if (mayCommitOne()) {
                commitOne();
                return;
            }
        } catch (OsException e) {
            LOG.warn("the table of selected packets could not be changed, so all are: {}", e.getMessage());
            retryNs = clock.nowNs() + RETRY_NS;
        }
        widen(scope);
    }

    private boolean mayCommitOne() {
        long nowNs = clock.nowNs();
        if (!inBurst) {
            creditNs = Math.min(MOST_CREDIT_NS, creditNs + nowNs - creditedNs);
        }
        creditedNs = nowNs;
        return creditNs >= LEAST_CHARGE_NS && changes() <= FEW_CHANGES;
    }

    private int changes() {
        int changes = 0;
        for (ScopeSets sets : scopes) {
            changes += sets.changes();
        }
        return changes;
    }

    private void commitOne() throws OsException {
        long beganNs = clock.nowNs();
        try {
            commit();
        } finally {
            creditNs -= Math.clamp(SHARE_OF_TIME * (clock.nowNs() - beganNs), LEAST_CHARGE_NS, MOST_CHARGE_NS);
        }
    }

    private void widen(WideScope scope) {
        Set<WideScope> wide = wide();
        wide.addAll(wideInTable);
        wide.add(scope);
        try {
            table.commit(new SelectionChange(levelsInTable, List.of(), List.of(), wide));
            wideInTable = wide;
            inBurst = true;
        } catch (OsException e) {
            close(e);
        }
    }

    private void close(OsException cause) {
        LOG.error(
                "nothing passes until it can be told again which packets are to be protected: {}", cause.getMessage());
        closed = true;
        retryNs = clock.nowNs() + RETRY_NS;
        barrier.close();
    }

    /** What is to be so, burst or not. */
    private Set<WideScope> wide() {
        Set<WideScope> wide = new LinkedHashSet<>();
        for (ScopeSets sets : scopes) {
            if (sets.isWide() || blocked.contains(sets.scope.direction())) {
                wide.add(sets.scope);
            }
        }
        return wide;
    }

    /** Puts all that was gathered into the table, or nothing. */
    private void commit() throws OsException {
        List<Level> levels = new ArrayList<>();
        List<Element> added = new ArrayList<>();
        List<Element> removed = new ArrayList<>();
        for (ScopeSets sets : scopes) {
            sets.difference(levels, added, removed);
        }
        Set<WideScope> wide = wide();
        table.commit(new SelectionChange(levels, added, removed, wide));
        if (inBurst) {
            // It has earned nothing.
            creditedNs = clock.nowNs();
            inBurst = false;
        }
        for (ScopeSets sets : scopes) {
            sets.settle();
        }
        levelsInTable = levels;
        wideInTable = wide;
        firstChangeNs = NONE;
        retryNs = NONE;
    }

    /** Ends a burst when it is time; called after each round of the control loop. */
    public void afterEachRound() {
        if (clock.nowNs() >= nextDeadlineNs()) {
            refine();
            retry();
        }
    }

    /** By when {@link #afterEachRound} is to be called, on the clock; {@link Long#MAX_VALUE} if nothing is due. */
    public long nextDeadlineNs() {
        if (retryNs != NONE) {
            return retryNs;
        }
        return firstChangeNs == NONE ? NONE : Math.min(lastChangeNs + CALM_NS, firstChangeNs + LONGEST_WAIT_NS);
    }

    private void retry() {
        try {
            commit();
            if (closed) {
                barrier.open();
                closed = false;
                LOG.info("packets that are to be protected are selected again");
            }
        } catch (OsException e) {
            LOG.warn(
                    closed ? "still nothing passes: {}" : "the table of selected packets still lacks changes: {}",
                    e.getMessage());
            retryNs = clock.nowNs() + RETRY_NS;
        }
    }

    /** What was made coarser for many is made anew for few, if no more policies are looked at than have changed. */
    private void refine() {
        Set<ScopeSets> coarse = new HashSet<>();
        for (ScopeSets sets : scopes) {
            if (sets.isTooCoarse()) {
                coarse.add(sets);
            }
        }
        if (coarse.isEmpty() || walkCredit < spd.size()) {
            return;
        }
        walkCredit = 0;
        coarse.forEach(ScopeSets::clear);
        addPolicies(coarse);
        ofSockets.forEach((element, count) -> {
            for (int i = 0; i < count && coarse.contains(scope(element.level())); i++) {
                add(element);
            }
        });
    }

    private void addPolicies(Set<ScopeSets> to) {
        Dump<Policy> all = spd.walk(null);
        for (Policy policy = all.next(); policy != null; policy = all.next()) {
            Element element = Spd.isSocketPolicy(policy) ? null : PolicyElements.of(policy.spec(), markBits);
            if (element != null && to.contains(scope(element.level()))) {
                add(element);
            }
        }
    }
}
