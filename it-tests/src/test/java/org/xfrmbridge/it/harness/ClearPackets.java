package org.xfrmbridge.it.harness;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Packets in the clear that a policy protects. A scenario that failed is run once more, as machines are busy and
 * daemons lose packets; one that saw such packets fails again without a run.
 */
public final class ClearPackets implements BeforeAllCallback {
    private static final Map<String, AssertionError> SEEN = new ConcurrentHashMap<>();
    /** Classes of one process run one after the other. */
    private static volatile String scenario = "";

    /** Throws unless the list, a line for each packet, is empty. */
    public static void assertNone(List<String> packets) {
        if (!packets.isEmpty()) {
            AssertionError seen = new AssertionError("in the clear:\n" + String.join("\n", packets));
            SEEN.put(scenario, seen);
            throw seen;
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        scenario = context.getRequiredTestClass().getName();
        AssertionError before = SEEN.get(scenario);
        if (before != null) {
            throw before;
        }
    }
}
