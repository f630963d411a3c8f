package org.xfrmbridge.daemon;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the program when a thread that it cannot do without has ended by an {@link Error}: out of memory, a class that
 * is missing. What is left would look alive and serve half. Nothing is restored, so that nothing passes: the next start
 * takes up the attachment and the policies.
 *
 * <p>All it needs is made in advance, for there may be no memory for a line, nobody who reads it, and another thread
 * that holds the log.
 */
final class FatalErrors implements Thread.UncaughtExceptionHandler {
    /** EX_SOFTWARE of sysexits.h. */
    static final int EXIT_CODE = 70;

    private static final Logger LOG = LoggerFactory.getLogger(FatalErrors.class);
    private static final long SAYING_LIMIT_MS = 2000;
    private static final int SPARE_BYTES = 1 << 18;
    private static final FileOutputStream ERRORS = new FileOutputStream(FileDescriptor.err);
    private static final byte[] NO_MEMORY =
            ("ERROR out of memory: the bridge ends, and nothing passes until it runs again; a larger -Xmx gives it "
                            + "more\n")
                    .getBytes(StandardCharsets.US_ASCII);
    private static final CountDownLatch ENDING = new CountDownLatch(1);

    /** For the line with the place where it happened. */
    private static byte[] spare = new byte[SPARE_BYTES];

    static {
        Thread.ofPlatform().daemon().name("last").start(FatalErrors::endInTime);
    }

    @Override
    public void uncaughtException(Thread thread, Throwable error) {
        try {
            spare = null;
            ENDING.countDown();
            if (error instanceof OutOfMemoryError) {
                ERRORS.write(NO_MEMORY);
            }
            LOG.error(
                    "the {} thread ended; so does the bridge, and nothing passes until it runs again",
                    thread.getName(),
                    error);
        } catch (IOException e) {
            LOG.error("{}", e.getMessage());
        } finally {
            // Not exit(): its hooks would detach.
            Runtime.getRuntime().halt(EXIT_CODE);
        }
    }

    /** Whoever reads what is said may have stopped doing so. */
    private static void endInTime() {
        try {
            ENDING.await();
            TimeUnit.MILLISECONDS.sleep(SAYING_LIMIT_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            Runtime.getRuntime().halt(EXIT_CODE);
        }
    }
}
