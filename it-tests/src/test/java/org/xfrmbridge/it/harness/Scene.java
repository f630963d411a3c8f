package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * The stage of one scenario: a work directory, unique names, and everything that has to be ended.
 *
 * <p>The directory lies under {@code /tmp}, not in the build directory: unix socket paths end at 107 bytes. At the end
 * its log files are copied to the directory named by the system property {@code it.logs}; {@code -Dit.keep} keeps the
 * work directory as well. Used by one thread; the shutdown hook closes what an interrupted run left.
 */
public final class Scene implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final long COPY_LIMIT_BYTES = 4 << 20;

    private final String name;
    private final Path directory;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Thread hook = new Thread(this::closeQuietly);
    private boolean closed;

    public Scene(String name) {
        this.name = name;
        try {
            directory = Files.createTempDirectory("xb-it-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(hook);
    }

    public Path directory() {
        return directory;
    }

    public Path file(String fileName) {
        return directory.resolve(fileName);
    }

    /** A name no other process and no other scene uses, at most 15 bytes so that an interface may have it. */
    public static String uniqueName() {
        return "xb" + ProcessHandle.current().pid() + "n" + COUNT.incrementAndGet();
    }

    /** Ends {@code resource} with the scene, before everything that was registered earlier. */
    public synchronized <T extends AutoCloseable> T own(T resource) {
        open.push(resource);
        return resource;
    }

    /** Ends everything; the first failure is thrown after all of it was tried. */
    @Override
    public void close() {
        Throwable failure = closeAll();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return;
        }
        if (failure != null) {
            throw new AssertionError(name + ": " + failure.getMessage(), failure);
        }
    }

    private void closeQuietly() {
        Throwable failure = closeAll();
        if (failure != null) {
            System.err.println(name + ": " + failure);
        }
    }

    private synchronized Throwable closeAll() {
        if (closed) {
            return null;
        }
        closed = true;
        Throwable failure = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception | AssertionError e) {
                failure = merge(failure, e);
            }
        }
        try {
            keepLogs();
            if (System.getProperty("it.keep") == null) {
                delete();
            }
        } catch (IOException | UncheckedIOException e) {
            failure = merge(failure, e);
        }
        return failure;
    }

    private static Throwable merge(Throwable first, Throwable next) {
        if (first == null) {
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    private void keepLogs() throws IOException {
        Path target = Path.of(System.getProperty("it.logs", "target/it-logs"), name);
        Files.createDirectories(target);
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(Files::isRegularFile)
                    .filter(file -> !Files.isExecutable(file))
                    .toList()) {
                if (Files.size(file) <= COPY_LIMIT_BYTES) {
                    Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    private void delete() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
