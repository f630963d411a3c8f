package org.xfrmbridge.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
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

    private static int found(Spd spd) {
        return Samples.priority(spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, Samples.flow()));
    }

    /** An update: there always is one of both, and who has seen the generation change finds the new one. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "the Policy was there first")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "after")
    @State
    public static class ExactUpdate {
        private final Spd spd = new Spd();
        private final int before;

        public ExactUpdate() {
            spd.replace(Samples.policy(32, 1), 0);
            before = spd.generation();
        }

        @Actor
        public void control() {
            spd.replace(Samples.policy(32, 2), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = spd.generation() == before ? 0 : 1;
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
        private final int before;

        public PrefixedUpdate() {
            spd.replace(Samples.policy(24, 1), 0);
            before = spd.generation();
        }

        @Actor
        public void control() {
            spd.replace(Samples.policy(24, 2), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = spd.generation() == before ? 0 : 1;
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

    /** The only policy goes: it is found or it is dead, and then the generation tells. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the Policy had gone first")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "after")
    @State
    public static class Removal {
        private final Spd spd = new Spd();
        private final Policy policy = spd.replace(Samples.policy(24, 1), 0);
        private final int before = spd.generation();

        @Actor
        public void control() {
            spd.remove(policy);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = spd.generation() == before ? 0 : 1;
            result.r2 = found(spd);
        }
    }

    /** A socket gets a policy: who has seen the generation change finds it. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the Policy was there first")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "after")
    @State
    public static class SocketPolicy {
        private final SocketPolicies sockets = new SocketPolicies();
        private final int before = sockets.generation();

        @Actor
        public void control() {
            LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 0);
            sockets.setPolicy("owner", 1, at, Samples.policy(32, 1), 0);
        }

        @Actor
        public void datapath(II_Result result) {
            result.r1 = sockets.generation() == before ? 0 : 1;
            result.r2 = Samples.priority(sockets.lookup(Direction.OUT, Samples.flow()));
        }
    }
}
