package org.xfrmbridge.it.harness;

import java.time.Duration;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Side;

/** How long traffic stands still when the bridge of one side is killed and started again, while its daemon runs on. */
public final class Outage {
    /** Without a word of what was lost it takes 30 s to for ever. */
    private static final Duration LIMIT = Duration.ofSeconds(15);

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int INTERVAL_MS = 20;
    private static final int MORE_THAN_ENOUGH = 6000;
    private static final Pattern ANSWER = Pattern.compile("\\[\\d+], \\d+ bytes");

    private Outage() {}

    /**
     * Lets pings go on meanwhile; they alone are the traffic. Prints how long it took from where the bridge was ready
     * to the first ping that was answered. Throws if that was longer than a slow machine takes to negotiate, or if a
     * packet was in the clear.
     */
    public static void assertShort(BridgedPair hosts, Side side, Ping ping, String what) {
        Daemon traffic = ping.start(hosts.scene(), MORE_THAN_ENOUGH, INTERVAL_MS);
        Await.until("traffic", PATIENCE, () -> answers(traffic) > 5);
        hosts.bridge(side).kill9();
        hosts.bridge(side).start();
        long readyNs = System.nanoTime();
        long before = answers(traffic);
        Await.until("traffic again", LIMIT, () -> answers(traffic) > before);
        System.out.printf(
                "%s, the bridge on the %s was killed: traffic flows %d ms after it is ready again%n",
                what, side, Duration.ofNanos(System.nanoTime() - readyNs).toMillis());
        traffic.interrupt();
        hosts.sniffer().assertNothingClear();
    }

    private static long answers(Daemon traffic) {
        return ANSWER.matcher(traffic.output()).results().count();
    }
}
