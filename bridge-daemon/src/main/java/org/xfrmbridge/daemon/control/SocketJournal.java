package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DIR/sockets: what was said of sockets that the kernel may still have, as the lines that said it. A bridge that starts
 * takes it up before a packet passes: clients that only have registered sockets do not notice a restart. Its first line
 * is the number of the boot, as sockets are counted from that on. Control thread only.
 */
final class SocketJournal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketJournal.class);
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    /** More lines than that beyond those that are needed, and the file is written anew. */
    private static final int MOST_STALE = 4096;

    private final Path file;
    private FileChannel channel;
    private int lines;
    private boolean failing;

    /** @param directory null for a journal that keeps nothing */
    SocketJournal(Path directory) {
        file = directory == null ? null : directory.resolve("sockets");
    }

    /** What an earlier bridge has written since the last boot. */
    List<String> read() throws IOException {
        if (file == null || !Files.exists(file)) {
            return List.of();
        }
        List<String> all = new ArrayList<>(List.of(Files.readString(file).split("\n", -1)));
        // What stands behind the last line end was not said to the end.
        all.removeLast();
        return all.isEmpty() || !all.removeFirst().equals(Files.readString(BOOT).strip()) ? List.of() : all;
    }

    /** Adds a line. What cannot be written is lost with the bridge until it is written anew: see {@link #isKept}. */
    void add(String line) {
        if (channel == null) {
            return;
        }
        try {
            write(channel, line);
            lines++;
        } catch (IOException e) {
            fail(e);
        }
    }

    /** Whether all that was added is in the file. */
    boolean isKept() {
        return file == null || channel != null;
    }

    /** Whether {@link #rewrite} is due. @param live how many lines are needed */
    boolean isWorn(int live) {
        return file != null && (channel == null || lines > MOST_STALE + 2 * live);
    }

    void rewrite(List<String> live) {
        if (file == null) {
            return;
        }
        close();
        Path fresh = file.resolveSibling("sockets.new");
        try {
            Files.deleteIfExists(fresh);
            channel = FileChannel.open(
                    fresh,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            StringBuilder text = new StringBuilder(Files.readString(BOOT).strip());
            live.forEach(line -> text.append('\n').append(line));
            write(channel, text.toString());
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            lines = live.size();
            failing = false;
        } catch (IOException e) {
            fail(e);
        }
    }

    private void fail(IOException cause) {
        if (!failing) {
            LOG.error(
                    "{} cannot be written, policies of sockets would not outlive this bridge: {}",
                    file,
                    cause.getMessage());
        }
        failing = true;
        close();
    }

    private static void write(FileChannel to, String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    @Override
    public void close() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            LOG.debug("{}: {}", file, e.getMessage());
        }
        channel = null;
    }
}
