package org.xfrmbridge.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What Linux says of the thread that opened this, read without making garbage: how long it was ready and had no CPU,
 * and page faults. A read costs about a microsecond. One thread.
 */
final class ThreadUse implements AutoCloseable {
    private static final int MINOR_FAULTS_FIELD = 7;

    private final ByteBuffer text = ByteBuffer.allocateDirect(512);
    private final FileChannel schedstat;
    private final FileChannel stat;

    ThreadUse() throws IOException {
        Path self = self();
        schedstat = FileChannel.open(self.resolve("schedstat"), StandardOpenOption.READ);
        stat = FileChannel.open(self.resolve("stat"), StandardOpenOption.READ);
    }

    private static Path self() throws IOException {
        return Path.of("/proc/thread-self").toRealPath();
    }

    /** Runs a command with the number of the calling thread behind its arguments: taskset, chrt. */
    static void command(String... command) throws IOException, InterruptedException {
        List<String> whole = new ArrayList<>(List.of(command));
        whole.add(self().getFileName().toString());
        Process process = new ProcessBuilder(whole).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", whole) + ": " + said.strip());
        }
    }

    /** Nanoseconds ready to run and not running, {@code run_delay}. */
    long waitedNs() throws IOException {
        return field(schedstat, 1);
    }

    /** Pages touched that had to be found first. */
    long minorFaults() throws IOException {
        // The fields count from behind the thread's name, which may hold spaces.
        read(stat);
        while (text.get() != ')') {}
        text.get();
        return number(MINOR_FAULTS_FIELD);
    }

    private long field(FileChannel file, int index) throws IOException {
        read(file);
        return number(index);
    }

    private void read(FileChannel file) throws IOException {
        text.clear();
        file.read(text, 0);
        text.flip();
    }

    private long number(int index) {
        for (int i = 0; i < index; i++) {
            while (text.get() != ' ') {}
        }
        long number = 0;
        while (text.hasRemaining()) {
            int digit = text.get() - '0';
            if (digit < 0 || digit > 9) {
                return number;
            }
            number = 10 * number + digit;
        }
        return number;
    }

    @Override
    public void close() throws IOException {
        schedstat.close();
        stat.close();
    }
}
