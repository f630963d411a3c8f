package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Very many States with limits of every kind at once: seconds since they were added and since they were used, bytes,
 * packets, and the wait for a key manager. Each is told of in the second in which a calculation by hand says so, soft
 * once and hard once.
 */
class StateLoadTest extends EngineFixture {
    private static final int STATES = 30_000;
    private static final int SPAN_SECONDS = 120;
    private static final int ACQUIRE_SECONDS = 30;
    private static final int NEVER = Integer.MAX_VALUE;

    private final SplittableRandom random = new SplittableRandom(9);
    private final List<String> expected = new ArrayList<>();
    private final List<Used> uses = new ArrayList<>();

    /** Bytes that go through a State in a second. */
    private record Used(int second, State state) {}

    private int seconds() {
        return random.nextInt(3) == 0 ? 0 : 2 + random.nextInt(SPAN_SECONDS);
    }

    private static int after(int second, long limit) {
        return limit == 0 || second == NEVER ? NEVER : second + (int) limit;
    }

    private void add(int spi) throws XfrmException {
        Lifetime limits = random.nextInt(4) == 0
                ? traffic(1000, 2000, Lifetime.INFINITE, Lifetime.INFINITE)
                : random.nextInt(4) == 0
                        ? traffic(Lifetime.INFINITE, Lifetime.INFINITE, 1, 2)
                        : seconds(seconds(), seconds(), seconds(), seconds());
        State state = engine.addState(esp(spi, s -> s.lifetime(limits)), ASKER);
        int used = random.nextInt(2) == 0 ? NEVER : random.nextInt(SPAN_SECONDS);
        int usedAgain = used == NEVER ? NEVER : used + 1 + random.nextInt(20);
        if (used != NEVER) {
            uses.add(new Used(used, state));
            uses.add(new Used(usedAgain, state));
        }
        boolean counts = limits.softBytes() == 1000 || limits.softPackets() == 1;
        int soft = counts ? used : Math.min(after(0, limits.softAddSeconds()), after(used, limits.softUseSeconds()));
        int hard =
                counts ? usedAgain : Math.min(after(0, limits.hardAddSeconds()), after(used, limits.hardUseSeconds()));
        expect(spi, soft, hard);
    }

    private void expect(int spi, int soft, int hard) {
        if (soft < hard) {
            expected.add(line(soft, "soft expire state " + Integer.toHexString(spi) + " VALID for 0"));
        }
        if (hard != NEVER) {
            expected.add(line(hard, "hard expire state " + Integer.toHexString(spi) + " DEAD for 0"));
        }
    }

    private static String line(int second, String heard) {
        return "%04d %s".formatted(second, heard);
    }

    private void use(Used use) {
        if (use.state.isValid()) {
            use.state.count(1000, clock.epochSeconds());
            engine.limitReached(use.state);
        }
    }

    @Test
    void shouldTellOfEachLimitInItsSecond() throws XfrmException {
        for (int spi = 1; spi <= STATES; spi++) {
            add(spi);
        }
        for (int i = 1; i <= 1000; i++) {
            StateSpec larval = esp(0, s -> s.aead(null));
            allocate(larval, STATES + i, STATES + i);
            expect(STATES + i, NEVER, ACQUIRE_SECONDS);
        }
        keyManager.take();
        uses.sort(Comparator.comparingInt(Used::second));
        List<String> heard = new ArrayList<>();
        int next = 0;
        for (int second = 0; second <= 2 * SPAN_SECONDS + 20; second++) {
            for (; next < uses.size() && uses.get(next).second == second; next++) {
                use(uses.get(next));
            }
            engine.drainEvents();
            engine.runTimers();
            int now = second;
            keyManager.take().forEach(line -> heard.add(line(now, line)));
            passSeconds(1);
            // What the second brought at its very end belongs to the next.
            int end = second + 1;
            keyManager.take().forEach(line -> heard.add(line(end, line)));
        }
        heard.sort(null);
        expected.sort(null);
        assertEquals(String.join("\n", expected), String.join("\n", heard));
    }
}
