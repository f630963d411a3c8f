package org.xfrmbridge.daemon.journal;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * Writes entries to DIR/policies, in order. The few that a daemon makes at a time are in the file when {@link #append} returns. Floods, of
 * which encoding and the copy to the page cache were a quarter of the work, go to a thread of their own, which the first one starts: of those a crash may
 * take what is on its way, milliseconds.
 *
 * <p>All methods on one thread at a time.
 */
final class JournalWriter {
    private static final Logger LOG = LoggerFactory.getLogger(JournalWriter.class);
    private static final int BUFFER_BYTES = 1 << 18;

    /** No daemon changes more policies by one datagram. */
    private static final int FEW = 32;

    /** Batches on their way. When there are more, the thread that makes them waits. */
    private static final int MOST_BATCHES = 64;

    /** @param isWhole whether it is all that there is, for a new file */
    private record Batch(List<JournalEntry> entries, boolean isWhole) {}

    private static final Batch END = new Batch(List.of(), false);

    private final Path directory;
    private final ThreadFactory threads;
    private final NetlinkWriter buffer = new NetlinkWriter(BUFFER_BYTES);
    private final BlockingQueue<Batch> queue = new ArrayBlockingQueue<>(MOST_BATCHES);

    /** Batches handed over and not finished. At 0 the file and the buffer are the caller's. */
    private final AtomicInteger unfinished = new AtomicInteger();

    private PolicyFile file;
    private Thread thread;

    /**
     * Begins with a new file.
     *
     * @param directory null to keep nothing
     * @param threads makes the thread for floods
     */
    JournalWriter(Path directory, ThreadFactory threads, List<JournalEntry> whole) throws IOException {
        this.directory = directory;
        this.threads = threads;
        rewrite(whole);
    }

    /** The list is the writer's from now on. */
    void append(List<JournalEntry> entries) {
        take(new Batch(entries, false));
    }

    /** Puts a new file with these entries, which are all that there is, in the place of the old one. The list is the writer's from now on. */
    void replace(List<JournalEntry> whole) {
        take(new Batch(whole, true));
    }

    /** Whether something is on its way to the file. */
    boolean isBusy() {
        return unfinished.get() != 0;
    }

    /** What was taken is in the file when this returns. */
    void end() {
        if (thread != null) {
            handOver(END);
            Uninterruptibles.joinUninterruptibly(thread);
        }
        close();
    }

    private void take(Batch batch) {
        if (batch.entries.size() <= FEW && !isBusy()) {
            write(batch);
        } else {
            if (thread == null) {
                thread = threads.newThread(this::writeAll);
                thread.start();
            }
            handOver(batch);
        }
    }

    private void handOver(Batch batch) {
        unfinished.incrementAndGet();
        Uninterruptibles.putUninterruptibly(queue, batch);
    }

    private void writeAll() {
        for (Batch batch = next(); batch != END; batch = next()) {
            write(batch);
            unfinished.decrementAndGet();
        }
    }

    private Batch next() {
        return Uninterruptibles.takeUninterruptibly(queue);
    }

    private void write(Batch batch) {
        try {
            if (batch.isWhole && file != null) {
                rewrite(batch.entries);
            } else {
                write(batch.entries);
            }
        } catch (IOException e) {
            LOG.error("policies would not outlive a crash of the bridge from now on: {}", e.getMessage());
            close();
        }
    }

    private void rewrite(List<JournalEntry> whole) throws IOException {
        close();
        file = directory == null ? PolicyFile.nowhere() : new PolicyFile(directory);
        write(whole);
        file.publish();
    }

    private void write(List<JournalEntry> entries) throws IOException {
        if (file == null) {
            return;
        }
        for (JournalEntry entry : entries) {
            entry.write(buffer);
            if (buffer.sizeBytes() > BUFFER_BYTES / 2) {
                appendBuffer();
            }
        }
        appendBuffer();
    }

    private void appendBuffer() throws IOException {
        file.append(buffer.written());
        buffer.truncate(0);
    }

    private void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            LOG.warn("the journal of policies could not be closed: {}", e.getMessage());
        }
        file = null;
    }
}
