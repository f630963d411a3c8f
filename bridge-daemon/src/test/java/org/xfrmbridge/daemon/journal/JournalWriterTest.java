package org.xfrmbridge.daemon.journal;

import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalWriterTest {
    private static final int MORE_THAN_AT_ONCE = 100;
    private static final int LOOKS = 100;
    private static final int LOOK_MS = 20;

    @TempDir
    private Path directory;

    private static WeakReference<List<JournalEntry>> append(JournalWriter writer) {
        List<JournalEntry> entries = new ArrayList<>();
        for (int i = 0; i < MORE_THAN_AT_ONCE; i++) {
            entries.add(new JournalEntry.StateFlush(0));
        }
        writer.append(entries);
        return new WeakReference<>(entries);
    }

    /** States of a million SAs that were flushed would fill the heap. */
    @Test
    void shouldHoldNothingThatIsWritten() throws Exception {
        JournalWriter writer = new JournalWriter(directory, "test", "nothing happens", Thread::new, List.of());
        WeakReference<List<JournalEntry>> written = append(writer);
        for (int i = 0; i < LOOKS && written.get() != null; i++) {
            Thread.sleep(LOOK_MS);
            System.gc();
        }
        assertNull(written.get());
        writer.end();
    }
}
