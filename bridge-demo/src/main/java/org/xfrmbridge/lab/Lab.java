package org.xfrmbridge.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * The surroundings of one trial: a work directory, unique names, and everything that has to be ended.
 *
 * <p>The directory lies under {@code /tmp}: unix socket paths end at 107 bytes.
 */
public class Lab implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final Path directory;
    private final String namePrefix;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /**
     * @param directoryPrefix of the work directory's name
     * @param namePrefix of {@link #uniqueName}
     */
    public Lab(String directoryPrefix, String namePrefix) {
        this.namePrefix = namePrefix;
        try {
            directory = Files.createTempDirectory(directoryPrefix);
        } catch (IOException e) {
            throw new UncheckedIOException("no temporary directory can be made: " + e.getMessage(), e);
        }
    }

    public final Path directory() {
        return directory;
    }

    public final Path file(String name) {
        return directory.resolve(name);
    }

    /** A name no other process and no other lab uses. */
    public final String uniqueName() {
        return namePrefix + ProcessHandle.current().pid() + "n" + COUNT.incrementAndGet();
    }

    /** Ends {@code resource} with the lab, before everything that was registered earlier. */
    public final synchronized <T extends AutoCloseable> T own(T resource) {
        open.push(resource);
        return resource;
    }

    /** Ends everything; the first failure is thrown after all of it was tried. The directory stays. */
    @Override
    public void close() {
        Throwable failure = endAll();
        if (failure != null) {
            throw new LabException(failure.getMessage(), failure);
        }
    }

    /** Ends everything, and returns the first failure, or null. */
    protected final synchronized Throwable endAll() {
        Throwable failure = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception | AssertionError e) {
                failure = merge(failure, e);
            }
        }
        return failure;
    }

    /** The first of two failures, which knows the next. */
    protected static Throwable merge(Throwable first, Throwable next) {
        if (first == null) {
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    /** Writes a text file, into directories that are made where they are absent. */
    public static Path write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Removes the directory. */
    public final void delete() {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
