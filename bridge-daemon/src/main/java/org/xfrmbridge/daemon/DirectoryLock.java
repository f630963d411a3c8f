package org.xfrmbridge.daemon;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.Descriptor;

/** Keeps other bridges out of a directory, which is made if it is not there. One thread. */
final class DirectoryLock implements AutoCloseable {
    private final Descriptor held;
    /** What was not there before, the innermost last. */
    private final List<Path> made;

    private DirectoryLock(Descriptor held, List<Path> made) {
        this.held = held;
        this.made = made;
    }

    /**
     * @param advice what to do if a bridge runs there
     * @throws IOException if one does, or nothing can be written there
     */
    static DirectoryLock of(Path directory, String advice) throws IOException {
        if (!BridgeSocket.fitIn(directory)) {
            throw new IOException(
                    "the path %s is too long for sockets: choose a shorter one with --dir".formatted(directory));
        }
        Path file = directory.resolve("lock");
        List<Path> made = missing(file);
        Descriptor held;
        try {
            Files.createDirectories(directory);
            do {
                held = Descriptor.lockFile(file.toString());
            } while (held != null && !isStillThere(file, held));
        } catch (IOException e) {
            remove(made);
            String remedy = CurrentProcess.effectiveUserId() == 0 ? "" : "run it as root (sudo), or ";
            throw new IOException(
                    "no files can be made in %s: %schoose another directory with --dir".formatted(directory, remedy),
                    e);
        }
        if (held == null) {
            throw new IOException("a bridge is running in %s: %s".formatted(directory, advice));
        }
        return new DirectoryLock(held, made);
    }

    private static List<Path> missing(Path file) {
        List<Path> missing = new ArrayList<>();
        for (Path path = file.toAbsolutePath(); path != null && !Files.exists(path); path = path.getParent()) {
            missing.addFirst(path);
        }
        return missing;
    }

    /** Else whoever had it before has removed it meanwhile, and the next one makes another. */
    private static boolean isStillThere(Path file, Descriptor held) throws IOException {
        Object key;
        try {
            key = keyOf(Path.of("/proc/self/fd", String.valueOf(held.fd())));
        } catch (NoSuchFileException e) {
            return true;
        }
        try {
            if (key.equals(keyOf(file))) {
                return true;
            }
        } catch (NoSuchFileException e) {
            // Removed.
        }
        held.close();
        return false;
    }

    private static Object keyOf(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private static void remove(List<Path> made) {
        for (Path path : made.reversed()) {
            try {
                Files.deleteIfExists(path);
            } catch (DirectoryNotEmptyException e) {
                return;
            } catch (IOException e) {
                // What could not be made cannot be removed.
            }
        }
    }

    /** Lets others in, and leaves no trace of itself. */
    void giveUp() {
        remove(made);
        close();
    }

    @Override
    public void close() {
        held.close();
    }
}
