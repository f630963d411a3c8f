package org.xfrmbridge.datapath;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;

/** Frames that one datapath thread hands over to another. */
public class HandoverStress {
    private HandoverStress() {}

    /** Who takes frames sees what the giver wrote into them, and in order. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "before both")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "in between")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "after both")
    @Outcome(expect = FORBIDDEN, desc = "another frame, or one that is half written")
    @State
    public static class Given {
        private final HandoverRing ring = new HandoverRing();
        private final PacketBuffer first = new PacketBuffer();
        private final PacketBuffer second = new PacketBuffer();
        private final PacketPool pool = new PacketPool(2);
        private final PacketBatch taken = new PacketBatch(2);

        @Actor
        public void giver() {
            first.length = 1;
            ring.give(first);
            second.length = 2;
            ring.give(second);
        }

        @Actor
        public void taker(II_Result result) {
            ring.take(pool, taken, 2);
            result.r1 = taken.isEmpty() ? 0 : taken.get(0).length;
            result.r2 = taken.size() < 2 ? 0 : taken.get(1).length;
        }
    }

    /** Who gave gets the buffer that the taker has left for it, never the frame, which is still the taker's. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "not taken yet: a new one")
    @Outcome(id = "7", expect = ACCEPTABLE, desc = "the one that was left")
    @Outcome(expect = FORBIDDEN, desc = "the frame, or what was left as it was before")
    @State
    public static class GivenBack {
        private final HandoverRing ring = new HandoverRing();
        private final PacketBuffer empty = new PacketBuffer();
        private final PacketPool takers = new PacketPool(1);
        private final PacketPool givers = new PacketPool(1);
        private final PacketBatch taken = new PacketBatch(1);

        public GivenBack() {
            PacketBuffer frame = new PacketBuffer();
            frame.data[0] = 9;
            empty.data[0] = 8;
            takers.give(empty);
            ring.give(frame);
        }

        @Actor
        public void taker() {
            empty.data[0] = 7;
            ring.take(takers, taken, 1);
        }

        @Actor
        public void giver(I_Result result) {
            ring.reclaim(givers);
            result.r1 = givers.take().data[0];
        }
    }

    /** Who goes to sleep sees what it was given, or is woken for it. */
    @JCStressTest
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "does not sleep")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "does not sleep, and is woken in vain")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "sleeps, and is woken")
    @Outcome(expect = FORBIDDEN, desc = "sleeps on what it was given")
    @State
    public static class Sleep {
        private static final class Port implements BusyPort {
            boolean isWoken;
            boolean isAwake;

            @Override
            public void receive(PacketPool pool, PacketBatch into) {}

            @Override
            public void send(PacketBatch batch) {}

            @Override
            public boolean await(int timeoutMs) {
                isAwake = timeoutMs == 0;
                return true;
            }

            @Override
            public void wake() {
                isWoken = true;
            }
        }

        private final Port port = new Port();
        private final List<Steering> threads = Steering.among(List.of(new Port(), port));
        private final PacketBuffer frame = new PacketBuffer();

        @Actor
        public void giver(ZZ_Result result) {
            threads.get(0).give(1, frame);
            threads.get(0).wakeOthers();
            result.r2 = port.isWoken;
        }

        @Actor
        public void sleeper(ZZ_Result result) {
            threads.get(1).await(port, 1000);
            result.r1 = port.isAwake;
        }
    }
}
