package org.xfrmbridge.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import java.util.Arrays;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.J_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.xfrmbridge.esp.KeyMaterial;
import org.xfrmbridge.esp.OutboundSequence;
import org.xfrmbridge.esp.OutboundSequence.Overflow;
import org.xfrmbridge.esp.ReplaySnapshot;
import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Usage;

/** What datapath and control threads share of one State: counters, sequence numbers, windows and keys. */
final class StateStress {
    private StateStress() {}

    /** Both halves of an extended sequence number go over together. */
    @JCStressTest
    @Outcome(id = "4294967295", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "4294967296", expect = ACCEPTABLE, desc = "after")
    @org.openjdk.jcstress.annotations.State
    public static class Sequence {
        private final OutboundSequence sequence = new OutboundSequence(SequenceWidth.EXTENDED, Overflow.REFUSE, -1, 0);

        @Actor
        public void datapath() {
            sequence.next();
        }

        @Actor
        public void control(J_Result result) {
            result.r1 = sequence.last();
        }
    }

    /** A snapshot has the highest number and the bits below it from the same moment. */
    @JCStressTest
    @Outcome(id = "5, 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "40, 1", expect = ACCEPTABLE, desc = "after")
    @org.openjdk.jcstress.annotations.State
    public static class Window {
        private final ReplayWindow window = ReplayWindow.legacy(32, new ReplaySnapshot(5, 0, new int[] {1}));

        @Actor
        public void datapath() {
            window.check(40);
            window.advance(40);
        }

        @Actor
        public void control(II_Result result) {
            ReplaySnapshot snapshot = window.snapshot();
            result.r1 = snapshot.seq();
            result.r2 = snapshot.bitmap()[0];
        }
    }

    /** The same of a ring of 128 bits: the bit of number 40 is there with the number, and nothing of it before. */
    @JCStressTest
    @Outcome(id = "5, 0", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "40, 1", expect = ACCEPTABLE, desc = "after")
    @org.openjdk.jcstress.annotations.State
    public static class Ring {
        private final ReplayWindow window =
                ReplayWindow.bitmap(128, SequenceWidth.EXTENDED, new ReplaySnapshot(5, 0, new int[4]));

        @Actor
        public void datapath() {
            window.check(40);
            window.advance(40);
        }

        @Actor
        public void control(II_Result result) {
            ReplaySnapshot snapshot = window.snapshot();
            result.r1 = snapshot.seq();
            result.r2 = Arrays.stream(snapshot.bitmap()).map(Integer::bitCount).sum();
        }
    }

    /**
     * The control thread sets other numbers while a packet makes the first use of the old ones: what it set is what
     * there is then.
     */
    @JCStressTest
    @Outcome(id = "100", expect = ACCEPTABLE, desc = "set before or after the first use")
    @Outcome(id = "101", expect = ACCEPTABLE, desc = "set before the packet's number was taken")
    @org.openjdk.jcstress.annotations.State
    public static class ResetReplay {
        private final State state = Samples.state(1);

        @Actor
        public void datapath() {
            state.sequence().next();
        }

        @Actor
        public void control() {
            state.resetReplay(new ReplayState(100, 0, 0, 0, 0, new int[1]));
        }

        @org.openjdk.jcstress.annotations.Arbiter
        public void end(I_Result result) {
            result.r1 = state.replaySnapshot().oseq();
        }
    }

    /** No half of a byte count. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = "-81985529216486896", expect = ACCEPTABLE, desc = "after")
    @org.openjdk.jcstress.annotations.State
    public static class Counting {
        private final Usage usage = new Usage(1);

        @Actor
        public void datapath() {
            usage.count(0xfedcba9876543210L, 2);
        }

        @Actor
        public void control(J_Result result) {
            result.r1 = usage.bytes();
        }
    }

    /** A key is copied whole or not at all. */
    @JCStressTest
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "whole")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "wiped")
    @org.openjdk.jcstress.annotations.State
    public static class Wipe {
        private static final byte[] KEY = key();
        private final KeyMaterial material = KeyMaterial.copyOf(KEY);

        private static byte[] key() {
            byte[] key = new byte[64];
            Arrays.fill(key, (byte) 0x5a);
            return key;
        }

        @Actor
        public void control() {
            material.wipe();
        }

        @Actor
        public void datapath(ZZ_Result result) {
            try {
                result.r1 = Arrays.equals(KEY, material.copy());
            } catch (KeyMaterial.WipedException e) {
                result.r2 = true;
            }
        }
    }
}
