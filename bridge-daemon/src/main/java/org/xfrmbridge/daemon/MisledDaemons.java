package org.xfrmbridge.daemon;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.host.KernelKeyManagers;
import org.xfrmbridge.daemon.host.KernelKeyManagers.Found;

/**
 * Watches for IKE daemons that were not started for the bridge: what they negotiate protects nothing here. A thread of
 * its own, as it may look at all processes.
 */
final class MisledDaemons {
    private static final Logger LOG = LoggerFactory.getLogger(MisledDaemons.class);
    private static final int PAUSE_SECONDS = 10;

    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile List<Found> found = List.of();

    /**
     * Until {@link #end}; says each once in the log.
     *
     * @param besides what else is looked for as often
     */
    void watch(Runnable besides) {
        try (KernelKeyManagers managers = new KernelKeyManagers()) {
            do {
                look(managers);
                besides.run();
            } while (!Uninterruptibles.awaitUninterruptibly(ended, PAUSE_SECONDS, TimeUnit.SECONDS));
        }
    }

    private void look(KernelKeyManagers managers) {
        try {
            List<Found> now = managers.find();
            now.stream().filter(daemon -> !found.contains(daemon)).forEach(daemon -> LOG.warn(sentence(daemon)));
            found = now;
        } catch (IOException e) {
            LOG.debug("IKE daemons could not be looked for: {}", e.getMessage());
        }
    }

    /** Any thread: for people. */
    List<String> sentences() {
        return found.stream().map(MisledDaemons::sentence).toList();
    }

    private static String sentence(Found daemon) {
        return ("%s (process %d) speaks to the kernel's IPsec: start it with \"xfrm-bridge exec\", or set LD_PRELOAD "
                        + "and XFRM_BRIDGE_DIR in its systemd unit")
                .formatted(daemon.name(), daemon.pid());
    }

    void end() {
        ended.countDown();
    }
}
