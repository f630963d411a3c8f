package org.xfrmbridge.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ModelRunTest {
    /** A set that loses what it has when 7 follows 3. */
    private static final class Faulty extends Model {
        private final Set<Integer> set = new HashSet<>();
        private final Set<Integer> model = new HashSet<>();

        @Override
        protected void operate(int index) {
            int number = random.nextInt(1000);
            say(() -> "add " + number);
            model.add(number);
            set.add(number);
            if (number == 7 && set.contains(3)) {
                set.remove(3);
            }
            assertEquals(model, set);
        }
    }

    @Test
    void shouldShowSeedAndShortestSequenceWhenModelAndRealityDiffer() {
        AssertionError failure = assertThrows(AssertionError.class, () -> ModelRun.check(Faulty::new));
        String expected = "of what led there these 2 are enough:\n  add 3\n  add 7\n";
        assertTrue(failure.getMessage().matches("(?s)seed \\d+ fails at operation \\d+; .*"), failure.getMessage());
        assertTrue(failure.getMessage().replace("\r", "").contains(expected), failure.getMessage());
    }
}
