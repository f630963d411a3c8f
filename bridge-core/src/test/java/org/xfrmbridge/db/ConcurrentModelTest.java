package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * Models with concurrent changes: one thread changes a database, two look up. Every answer is the model's answer at
 * some moment between the lookup's beginning and its end: no change is ever seen half done.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ConcurrentModelTest {
    private static final int CHANGES =
            Math.toIntExact(Math.min(1_000_000, Long.getLong("model.operations", 100_000) / 4));
    private static final int QUESTIONS = 16;
    private static final int ENTRIES = 60;

    /** Changes between two flushes, in the mean. */
    private static final int ERA = 256;

    private final Random random = new Random(7);
    private Function<Random, RandomFlows> worlds = RandomFlows::new;
    private RandomFlows flows = new RandomFlows(random);
    /** What the model answers to each question after so many changes. */
    private final AtomicReferenceArray<Object[]> answers = new AtomicReferenceArray<>(CHANGES + 1);

    private volatile int begun;
    private volatile int done;

    private void check(Runnable change, IntFunction<Object> model, IntFunction<Object> real) throws Exception {
        answers.set(0, ask(model));
        try (ExecutorService readers = Executors.newFixedThreadPool(2)) {
            List<Future<Long>> lookups =
                    List.of(readers.submit(() -> lookUp(real)), readers.submit(() -> lookUp(real)));
            try {
                for (int i = 1; i <= CHANGES; i++) {
                    begun = i;
                    change.run();
                    answers.set(i, ask(model));
                    done = i;
                }
            } finally {
                // A change that failed must not leave the readers looking for ever.
                done = CHANGES;
            }
            for (Future<Long> count : lookups) {
                assertTrue(count.get() > 0);
            }
        }
    }

    private static Object[] ask(IntFunction<Object> source) {
        Object[] all = new Object[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            all[i] = source.apply(i);
        }
        return all;
    }

    private long lookUp(IntFunction<Object> real) {
        long count = 0;
        while (done < CHANGES) {
            int question = (int) (count++ % QUESTIONS);
            int from = done;
            Object found = real.apply(question);
            int to = begun;
            while (done < to) {
                Thread.onSpinWait();
            }
            boolean right = false;
            for (int i = from; i <= to && !right; i++) {
                right = answers.get(i)[question] == found;
            }
            int last = to;
            assertTrue(right, () -> "%s was never the answer from change %d to %d".formatted(found, from, last));
        }
        return count;
    }

    @Test
    void shouldFindPoliciesOfFewPrefixesAsTheyWereAtOneMomentOfTheLookup() throws Exception {
        worlds = RandomFlows::ofFewPrefixes;
        shouldFindPoliciesAsTheyWereAtOneMomentOfTheLookup();
    }

    @Test
    void shouldFindPoliciesAsTheyWereAtOneMomentOfTheLookup() throws Exception {
        Spd spd = new Spd();
        List<Flow> asked = questions();
        checkPolicies(spd, asked, i -> spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, asked.get(i)));
    }

    /** As the packet path: what was found is kept as long as it holds. */
    @Test
    void shouldKeepPoliciesForFlowsOnlyAsLongAsTheyRuleThem() throws Exception {
        Spd spd = new Spd();
        SocketPolicies sockets = new SocketPolicies(spd);
        List<Flow> asked = questions();
        ThreadLocal<Kept[]> kept = ThreadLocal.withInitial(() -> new Kept[QUESTIONS]);
        checkPolicies(spd, asked, i -> {
            Flow flow = asked.get(i);
            Kept known = kept.get()[i];
            if (known == null || !known.freshness.holds(flow, known.found)) {
                PolicyFreshness freshness = new PolicyFreshness(spd, sockets, Direction.OUT, flow);
                Policy found = spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
                known = new Kept(found == null ? new Policy[0] : new Policy[] {found}, freshness);
                kept.get()[i] = known;
            }
            return known.found.length == 0 ? null : known.found[0];
        });
    }

    private record Kept(Policy[] found, PolicyFreshness freshness) {}

    private void checkPolicies(Spd spd, List<Flow> asked, IntFunction<Object> real) throws Exception {
        PolicyList model = new PolicyList();
        Runnable change = () -> {
            if (random.nextInt(ERA) == 0) {
                model.policies().forEach(model::remove);
                spd.removeAll(PolicySpec.Type.MAIN, policy -> {});
                flows = worlds.apply(random);
            } else if (model.size() > random.nextInt(ENTRIES)) {
                Policy policy = model.get(random.nextInt(model.size()));
                model.remove(policy);
                spd.remove(policy);
            } else {
                PolicySpec spec = policy(model);
                Policy old = model.named(spec);
                model.put(spd.replace(spec, 7), old);
            }
        };
        check(change, i -> model.lookup(PolicySpec.Type.MAIN, Direction.OUT, asked.get(i)), real);
    }

    private PolicySpec policy(PolicyList model) {
        boolean update = model.size() > 0 && random.nextBoolean();
        Selector selector =
                update ? model.get(random.nextInt(model.size())).spec().selector() : flows.selector(flows.family());
        return PolicySpec.builder()
                .selector(selector)
                .priority(random.nextInt(3))
                .build();
    }

    private List<Flow> questions() {
        List<Flow> asked = new ArrayList<>();
        for (int i = 0; i < QUESTIONS; i++) {
            Flow flow = new Flow();
            flows.fill(flow, flows.family());
            flow.ifId = 0;
            asked.add(flow);
        }
        return asked;
    }

    @Test
    void shouldFindStatesAsTheyWereAtOneMomentOfTheLookup() throws Exception {
        Sad sad = new Sad();
        StateList model = new StateList();
        Flow flow = questions().getFirst();
        Runnable change = () -> {
            if (model.states.size() > random.nextInt(ENTRIES)) {
                State state = model.states.remove(random.nextInt(model.states.size()));
                sad.remove(state);
            } else {
                StateSpecBuilder spec = SadTest.spec(random.nextInt(QUESTIONS)).toBuilder();
                State state = new State(spec.build(), State.Phase.VALID, new Usage(random.nextInt(4)));
                model.states.add(state);
                sad.insert(state);
            }
        };
        check(change, i -> find(model, i, flow), i -> find(sad, i, flow));
    }

    /**
     * What leaves through a State may be back before anything else happens: who finds it for a template finds it by its
     * Spi, too.
     */
    @Test
    void shouldKnowAStateBySpiAndByNumberAsSoonAsATemplateFindsIt() throws Exception {
        Sad sad = new Sad();
        StateSpec wanted = SadTest.spec(0);
        Flow flow = questions().getFirst();
        try (ExecutorService reader = Executors.newSingleThreadExecutor()) {
            Future<Long> known = reader.submit(() -> lookUpWhatIsFound(sad, wanted, flow));
            try {
                for (int i = 1; i <= CHANGES; i++) {
                    StateSpecBuilder spec = wanted.toBuilder()
                            .id(new StateId(wanted.id().daddr(), i, wanted.id().protocol()))
                            .seq(i);
                    State state = new State(spec.build(), State.Phase.VALID, new Usage(1));
                    sad.insert(state);
                    sad.remove(state);
                }
            } finally {
                done = CHANGES;
            }
            assertTrue(known.get() >= 0);
        }
    }

    private long lookUpWhatIsFound(Sad sad, StateSpec wanted, Flow flow) {
        long count = 0;
        while (done < CHANGES) {
            State found = sad.find(
                    policyOf(wanted), template(wanted), flow, wanted.id().daddr(), wanted.saddr());
            if (found != null) {
                State bySpi = sad.lookup(found.id(), wanted.family(), 0);
                // It may have gone meanwhile, and then it is dead.
                assertTrue(bySpi == found || !found.isValid(), () -> found + " is known in part");
                count++;
            }
        }
        return count;
    }

    /** As the packet path: what is found holds for the generation before it, and is looked for again after that. */
    private static State find(Sad sad, int question, Flow flow) {
        StateSpec wanted = SadTest.spec(question);
        State found;
        StateFreshness freshness;
        do {
            freshness = sad.freshness(
                    policyOf(wanted), template(wanted), wanted.id().daddr(), wanted.saddr());
            found = sad.find(
                    policyOf(wanted), template(wanted), flow, wanted.id().daddr(), wanted.saddr());
        } while (!freshness.holds());
        return found;
    }

    private static State find(StateList model, int question, Flow flow) {
        StateSpec wanted = SadTest.spec(question);
        return model.find(
                        policyOf(wanted).spec(),
                        template(wanted),
                        flow,
                        wanted.id().daddr(),
                        wanted.saddr())
                .best;
    }

    private static Template template(StateSpec wanted) {
        return Template.builder()
                .id(wanted.id())
                .family(wanted.family())
                .saddr(wanted.saddr())
                .reqid(wanted.reqid())
                .mode(wanted.mode())
                .build();
    }

    private static Policy policyOf(StateSpec wanted) {
        PolicySpec spec = PolicySpec.builder()
                .selector(Selector.any(wanted.family()))
                .ifId(wanted.ifId())
                .build();
        return new Policy(spec, 0, 0);
    }
}
