package org.xfrmbridge.daemon.journal;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
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
 * Writes entries to a file of the bridge's directory, in order. The few that a daemon makes at a time are in the file
 * when {@link #append} returns. Floods, of which encoding and the copy to the page cache were a quarter of the work, go
 * to a thread of their own, which the first one starts: of those a crash may take what is on its way, milliseconds.
 *
 * <p>When writing fails, what comes is dropped until a whole journal could be written: there is a {@link #fault}
 * meanwhile.
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
    private final String name;
    private final String consequence;
    private final ThreadFactory threads;
    private final NetlinkWriter buffer = new NetlinkWriter(BUFFER_BYTES);
    private final BlockingQueue<Batch> queue = new ArrayBlockingQueue<>(MOST_BATCHES);

    /** Batches handed over and not finished. At 0 the file and the buffer are the caller's. */
    private final AtomicInteger unfinished = new AtomicInteger();

    private JournalFile file;
    private Thread thread;

    /** Why what is on the disk is not whole; null if it is. */
    private volatile String fault;

    /**
     * Begins with a new file, or, where that cannot be written, with a {@link #fault} and the file that a bridge left
     * which ended. Throws where there is none either.
     *
     * @param directory null to keep nothing
     * @param name of the file
     * @param consequence for people: of what comes after if the bridge ends while the file is not whole
     * @param threads makes the thread for floods
     */
    JournalWriter(Path directory, String name, String consequence, ThreadFactory threads, List<JournalEntry> whole)
            throws IOException {
        this.directory = directory;
        this.name = name;
        this.consequence = consequence;
        this.threads = threads;
        begin(whole);
    }

    private void begin(List<JournalEntry> whole) throws IOException {
        try {
            rewrite(whole);
        } catch (IOException e) {
            if (directory == null || !Files.exists(directory.resolve(name))) {
                throw e;
            }
            buffer.truncate(0);
            fail(reason(e));
        }
    }

    /** The list is the writer's from now on. */
    void append(List<JournalEntry> entries) {
        take(new Batch(entries, false));
    }

    /**
     * Puts a new file with these entries, which are all that there is, in the place of the old one. The list is the
     * writer's from now on.
     */
    void replace(List<JournalEntry> whole) {
        take(new Batch(whole, true));
    }

    /** The same, at once; only when nothing is on its way. */
    void replaceNow(List<JournalEntry> whole) {
        write(new Batch(whole, true));
    }

    /** What keeps the file from being whole, for people; null if nothing does. */
    String fault() {
        return fault;
    }

    /** Looks whether the file is still there; only when nothing is on its way. */
    void checkPlace() {
        if (file != null && !file.isInPlace()) {
            fail("it was removed");
        }
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
        boolean more = true;
        while (more) {
            more = writeNext();
        }
    }

    /** Nobody holds a batch while the next one is waited for: what is in it may have gone, and be most of the heap. */
    private boolean writeNext() {
        Batch batch = Uninterruptibles.takeUninterruptibly(queue);
        if (batch == END) {
            return false;
        }
        write(batch);
        unfinished.decrementAndGet();
        return true;
    }

    private void write(Batch batch) {
        try {
            if (batch.isWhole) {
                rewrite(batch.entries);
            } else if (file != null) {
                write(file, batch.entries);
            }
        } catch (IOException e) {
            buffer.truncate(0);
            if (batch.isWhole && fault == null) {
                LOG.warn("{} could not be made shorter and goes on as it is: {}", name, reason(e));
            } else {
                fail(reason(e));
            }
        }
    }

    private static String reason(IOException e) {
        return e instanceof FileSystemException named && named.getReason() == null ? e.toString() : e.getMessage();
    }

    private void fail(String reason) {
        if (fault == null) {
            LOG.error(
                    "{} cannot be written ({}): the bridge goes on trying; if it ends before, {}",
                    directory.resolve(name),
                    reason,
                    consequence);
        }
        fault = reason;
        close();
    }

    /** The old file stays if this fails. */
    private void rewrite(List<JournalEntry> whole) throws IOException {
        JournalFile fresh = directory == null ? JournalFile.nowhere() : new JournalFile(directory, name);
        try {
            write(fresh, whole);
            fresh.publish();
        } catch (IOException e) {
            fresh.discard();
            throw e;
        }
        close();
        file = fresh;
        if (fault != null) {
            LOG.info("{} is whole again", directory.resolve(name));
            fault = null;
        }
    }

    private void write(JournalFile to, List<JournalEntry> entries) throws IOException {
        for (JournalEntry entry : entries) {
            entry.write(buffer);
            if (buffer.sizeBytes() > BUFFER_BYTES / 2) {
                appendBuffer(to);
            }
        }
        appendBuffer(to);
    }

    private void appendBuffer(JournalFile to) throws IOException {
        to.append(buffer.written());
        buffer.truncate(0);
    }

    private void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            LOG.warn("{} could not be closed: {}", name, e.getMessage());
        }
        file = null;
    }
}
