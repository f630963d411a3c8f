package org.xfrmbridge.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.StateFreshness;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/** The tables of States: the control thread changes them, a datapath thread looks up. */
final class SadStress {
    private SadStress() {}

    /** A State that is found is whole. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "not there yet")
    @Outcome(id = "7, 7", expect = ACCEPTABLE, desc = "whole")
    @org.openjdk.jcstress.annotations.State
    public static class Insertion {
        private final Sad sad = new Sad();

        @Actor
        public void control() {
            sad.insert(Samples.state(7));
        }

        @Actor
        public void datapath(II_Result result) {
            State found = sad.lookup(Samples.id(7), AddressFamily.INET, 0);
            result.r1 = Samples.spi(found);
            result.r2 = found != null && found.isValid() ? (int) found.usage().addSeconds() : 0;
        }
    }

    /** A State that packets leave through is known by its Spi: they may come back at once. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "not there yet")
    @Outcome(id = "0, 7", expect = ACCEPTABLE, desc = "came in between")
    @Outcome(id = "7, 7", expect = ACCEPTABLE, desc = "known both ways")
    @org.openjdk.jcstress.annotations.State
    public static class Publication {
        private final Sad sad = new Sad();
        private final Policy policy = new Policy(Samples.policy(32, 1), 0, 0);

        @Actor
        public void control() {
            sad.insert(Samples.state(7));
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = Samples.spi(sad.find(policy, Samples.template(), Samples.flow(), Samples.RIGHT, Samples.LEFT));
            result.r2 = Samples.spi(sad.lookup(Samples.id(7), AddressFamily.INET, 0));
        }
    }

    /** One that stays is found while others come, the table grows and they go again. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "found")
    @org.openjdk.jcstress.annotations.State
    public static class Growth {
        private final Sad sad = new Sad();

        public Growth() {
            sad.insert(Samples.state(1));
        }

        @Actor
        public void control() {
            State[] others = new State[20];
            for (int i = 0; i < others.length; i++) {
                others[i] = Samples.state(2 + i);
                sad.insert(others[i]);
            }
            for (State other : others) {
                sad.remove(other);
            }
        }

        @Actor
        public void datapath(I_Result result) {
            result.r1 = Samples.spi(sad.lookup(Samples.id(1), AddressFamily.INET, 0));
        }
    }

    /** Who is told that the answer is stale finds why: else a bundle would keep the old State for good. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "the State was there first")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "after")
    @org.openjdk.jcstress.annotations.State
    public static class Freshness {
        private final Sad sad = new Sad();
        private final Policy policy = new Policy(Samples.policy(32, 1), 0, 0);
        private final StateFreshness freshness;

        public Freshness() {
            sad.insert(Samples.state(1));
            freshness = sad.freshness(policy, Samples.template(), Samples.RIGHT, Samples.LEFT);
        }

        @Actor
        public void control() {
            sad.insert(Samples.state(2));
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = freshness.holds() ? 0 : 1;
            result.r2 = Samples.spi(sad.find(policy, Samples.template(), Samples.flow(), Samples.RIGHT, Samples.LEFT));
        }
    }

    /** The same where the last State of its addresses goes, and then another comes: who found nothing is told. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "in between")
    @Outcome(
            id = {"0, 1", "1, 1"},
            expect = ACCEPTABLE,
            desc = "the first one, which is dead now")
    @Outcome(
            id = {"0, 2", "1, 2"},
            expect = ACCEPTABLE,
            desc = "after")
    @org.openjdk.jcstress.annotations.State
    public static class FreshnessOfGroups {
        private final Sad sad = new Sad();
        private final Policy policy = new Policy(Samples.policy(32, 1), 0, 0);
        private final State old = Samples.state(1);
        private StateFreshness freshness;
        private int found;

        public FreshnessOfGroups() {
            sad.insert(old);
        }

        @Actor
        public void control() {
            sad.remove(old);
            sad.insert(Samples.state(2));
        }

        @Actor
        public void datapath() {
            freshness = sad.freshness(policy, Samples.template(), Samples.RIGHT, Samples.LEFT);
            found = Samples.spi(sad.find(policy, Samples.template(), Samples.flow(), Samples.RIGHT, Samples.LEFT));
        }

        @Arbiter
        public void end(II_Result result) {
            result.r1 = freshness.holds() ? 0 : 1;
            result.r2 = found;
        }
    }

    /** A rekey: the new one comes before the old one goes, so that there always is one. */
    @JCStressTest
    @Outcome(
            id = {"1", "2"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @org.openjdk.jcstress.annotations.State
    public static class Rekey {
        private final Sad sad = new Sad();
        private final Policy policy = new Policy(Samples.policy(32, 1), 0, 0);
        private final State old = Samples.state(1);

        public Rekey() {
            sad.insert(old);
        }

        @Actor
        public void control() {
            sad.insert(Samples.state(2));
            sad.remove(old);
        }

        @Actor
        public void datapath(I_Result result) {
            State found = null;
            // As the resolver asks: again if what it found has gone meanwhile.
            for (int i = 0; i < 4 && (found == null || !found.isValid() && found.phase() != State.Phase.DEAD); i++) {
                found = sad.find(policy, Samples.template(), Samples.flow(), Samples.RIGHT, Samples.LEFT);
            }
            result.r1 = Samples.spi(found);
        }
    }

    /** A State that is given another interface id is found under one of them. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "found")
    @org.openjdk.jcstress.annotations.State
    public static class Respec {
        private final Sad sad = new Sad();
        private final State state = Samples.state(1);

        public Respec() {
            sad.insert(state);
        }

        @Actor
        public void control() {
            var spec = state.spec().toBuilder().ifId(9);
            sad.respec(state, spec.build());
        }

        @Actor
        public void datapath(I_Result result) {
            result.r1 = Samples.spi(sad.lookup(Samples.id(1), AddressFamily.INET, 0));
        }
    }
}
