package org.xfrmbridge.daemon;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the program when a thread that it cannot do without has ended by an {@link Error}: out of memory, a class that is missing. What is left
 * would look alive and serve half. Nothing is restored, so that nothing passes: the next start takes up the attachment and the policies.
 */
final class FatalErrors implements Thread.UncaughtExceptionHandler {
    /** EX_SOFTWARE of sysexits.h. */
    static final int EXIT_CODE = 70;

    private static final Logger LOG = LoggerFactory.getLogger(FatalErrors.class);

    @Override
    public void uncaughtException(Thread thread, Throwable error) {
        try {
            LOG.error("the {} thread ended; so does the bridge, and nothing passes until it runs again", thread.getName(), error);
        } finally {
            // Not exit(): its hooks would detach.
            Runtime.getRuntime().halt(EXIT_CODE);
        }
    }
}
