package org.xfrmbridge.daemon.cli;

import java.time.Duration;

/** Says how many packets were too many to be told of, once a second at most. One thread. */
final class LostPackets {
    private static final long PERIOD_NS = Duration.ofSeconds(1).toNanos();

    private final String fate;
    private long lost;
    private long saidNs = System.nanoTime() - PERIOD_NS;

    /** @param fate what has not become of them: "shown", "written" */
    LostPackets(String fate) {
        this.fate = fate;
    }

    void add(long more) {
        lost += more;
        if (System.nanoTime() - saidNs >= PERIOD_NS) {
            say();
        }
    }

    /** Those that were not said yet. */
    void say() {
        if (lost > 0) {
            System.err.printf("xfrm-bridge: %d packets are not %s: there are too many%n", lost, fate);
            lost = 0;
            saidNs = System.nanoTime();
        }
    }
}
