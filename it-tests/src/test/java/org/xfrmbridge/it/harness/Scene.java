package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;
import org.xfrmbridge.lab.Lab;

/**
 * The lab of one scenario. At the end its log files are copied to the directory named by the system property
 * {@code it.logs}; {@code -Dit.keep} keeps the work directory as well. Used by one thread; the shutdown hook closes
 * what an interrupted run left.
 */
public final class Scene extends Lab {
    private static final long COPY_LIMIT_BYTES = 4 << 20;

    private final String name;
    private final Thread hook = new Thread(this::closeQuietly);
    private boolean closed;

    public Scene(String name) {
        super("xb-it-", "xb");
        this.name = name;
        Runtime.getRuntime().addShutdownHook(hook);
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
        Throwable failure = endAll();
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

    private void keepLogs() throws IOException {
        Path target = Path.of(System.getProperty("it.logs", "target/it-logs"), name);
        Files.createDirectories(target);
        try (Stream<Path> files = Files.list(directory())) {
            for (Path file : files.filter(Files::isRegularFile)
                    .filter(file -> !Files.isExecutable(file))
                    .toList()) {
                if (Files.size(file) <= COPY_LIMIT_BYTES) {
                    Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }
}
