package org.xfrmbridge.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.xfrmbridge.db.PolicyFreshness;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/** Policies, exact, prefixed and of sockets: the control thread changes them, a datapath thread looks up. */
final class SpdStress {
    private SpdStress() {}

    private static final Policy[] NONE = {};

    private static PolicyFreshness freshness(Spd spd) {
        return new PolicyFreshness(spd, new SocketPolicies(spd), Direction.OUT, Samples.flow());
    }

    private static int found(Spd spd) {
        return Samples.priority(spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, Samples.flow()));
    }

    /** An update: there always is one of both, and who is told that the answer is stale finds the new one. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "the Policy was there first")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "after")
    @State
    public static class ExactUpdate {
        private final Spd spd = new Spd();
        private final Policy[] before = {spd.replace(Samples.policy(32, 1), 0)};
        private final PolicyFreshness freshness = freshness(spd);

        @Actor
        public void control() {
            spd.replace(Samples.policy(32, 2), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = freshness.holds(Samples.flow(), before) ? 0 : 1;
            result.r2 = found(spd);
        }
    }

    /** The same in the tries. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "the Policy was there first")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "after")
    @State
    public static class PrefixedUpdate {
        private final Spd spd = new Spd();
        private final Policy[] before = {spd.replace(Samples.policy(24, 1), 0)};
        private final PolicyFreshness freshness = freshness(spd);

        @Actor
        public void control() {
            spd.replace(Samples.policy(24, 2), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = freshness.holds(Samples.flow(), before) ? 0 : 1;
            result.r2 = found(spd);
        }
    }

    /** A wide policy is found while narrower ones of less weight come and go around it. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "found")
    @State
    public static class PrefixedNeighbours {
        private final Spd spd = new Spd();

        public PrefixedNeighbours() {
            spd.replace(Samples.policy(16, 1), 0);
        }

        @Actor
        public void control() {
            Policy[] others = new Policy[16];
            for (int i = 0; i < others.length; i++) {
                others[i] = spd.replace(Samples.policy(17 + i, 5), 0);
            }
            for (Policy other : others) {
                spd.remove(other);
            }
        }

        @Actor
        public void datapath(I_Result result) {
            result.r1 = found(spd);
        }
    }

    /** A better policy comes beside the only table: once it is found, it is found. */
    @JCStressTest
    @Outcome(id = "5, 5", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "5, 1", expect = ACCEPTABLE, desc = "came in between")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "after")
    @State
    public static class SecondTable {
        private final Spd spd = new Spd();

        public SecondTable() {
            spd.replace(Samples.policy(32, 5), 0);
        }

        @Actor
        public void control() {
            spd.replace(Samples.policy(24, 1), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = found(spd);
            result.r2 = found(spd);
        }
    }

    /** All go: the wide ones in the trie never rule while the table of the better one is emptied. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "went in between")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "after")
    @State
    public static class Flush {
        private final Spd spd = new Spd();

        public Flush() {
            spd.replace(Samples.policy(32, 1), 0);
            for (int prefixBits = 17; prefixBits <= 25; prefixBits++) {
                spd.replace(Samples.policy(prefixBits, 5), 0);
            }
        }

        @Actor
        public void control() {
            spd.removeAll(PolicySpec.Type.MAIN, policy -> {});
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = found(spd);
            result.r2 = found(spd);
        }
    }

    /** A policy comes, among more others between its networks than a flow compares: it is not missed. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "1, 0"},
            expect = ACCEPTABLE,
            desc = "who asked is told, while they come or after")
    @State
    public static class Crowd {
        private static final int OTHERS = 80;
        private static final PolicySpec OWN = Samples.policy(16, 1);
        private static final PolicySpec[] OTHER = others();
        private final Spd spd = new Spd();
        private final PolicyFreshness freshness = freshness(spd);

        private static PolicySpec[] others() {
            PolicySpec[] others = new PolicySpec[OTHERS];
            for (int i = 0; i < OTHERS; i++) {
                others[i] = Samples.ofPort(i);
            }
            return others;
        }

        @Actor
        public void control() {
            for (int i = 0; i < OTHERS; i++) {
                if (i == OTHERS / 4) {
                    spd.replace(OWN, 0);
                }
                spd.replace(OTHER[i], 0);
            }
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = 1;
            for (int i = 0; i < 20 && result.r1 == 1; i++) {
                result.r1 = freshness.holds(Samples.flow(), NONE) ? 1 : 0;
            }
        }

        @Arbiter
        public void end(II_Result result) {
            result.r2 = freshness.holds(Samples.flow(), NONE) ? 1 : 0;
        }
    }

    /** The only policy goes: who is told that it has gone does not find it. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the Policy had gone first")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "after")
    @State
    public static class Removal {
        private final Spd spd = new Spd();
        private final Policy[] before = {spd.replace(Samples.policy(24, 1), 0)};
        private final PolicyFreshness freshness = freshness(spd);

        @Actor
        public void control() {
            spd.remove(before[0]);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = freshness.holds(Samples.flow(), before) ? 0 : 1;
            result.r2 = found(spd);
        }
    }

    /** A socket gets a policy: who is told that the answer is stale finds it. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the Policy was there first")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "after")
    @State
    public static class SocketPolicy {
        private final SocketPolicies sockets = new SocketPolicies();
        private final PolicyFreshness freshness =
                new PolicyFreshness(new Spd(), sockets, Direction.OUT, Samples.flow());

        @Actor
        public void control() {
            LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 0);
            sockets.setPolicy("owner", 1, at, Samples.policy(32, 1), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = freshness.holds(Samples.flow(), NONE) ? 0 : 1;
            result.r2 = Samples.priority(sockets.lookup(Direction.OUT, Samples.flow()));
        }
    }
}
