package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** This process and its threads. */
public final class CurrentProcess {
    private static final int PRIO_PROCESS = 0;
    private static final int SELF = 0;
    private static final int NICEST = 19;
    private static final int NICE = 5;
    private static final String COMPILER_FOR_SPEED = "C2 Compiler";

    private static final int CLONE_NEWNET = 0x40000000;
    private static final long NS_GET_USERNS = 0xb701;
    private static final String NAMESPACE = "/proc/thread-self/ns/";

    private static final int SIGHUP = 1;
    private static final int SIG_IGN = 1;

    private CurrentProcess() {}

    public static int effectiveUserId() {
        return LIBC.geteuid();
    }

    /** A JVM ends by SIGHUP, which others send to say "read your configuration". From now on it does nothing. */
    public static void ignoreHangup() {
        LIBC.signal(SIGHUP, SIG_IGN);
    }

    /** The path of a file that is beside this module's jar, or its classes. */
    public static Path programFile(String name) throws IOException {
        Path file = home().resolve(name);
        if (!Files.isReadable(file)) {
            throw new IOException(file + " is not there: build or install the bridge again");
        }
        return file;
    }

    /** By a resource, as a class that the JVM has from its cache has no code source. */
    private static Path home() {
        Class<?> here = CurrentProcess.class;
        String file = here.getName().replace('.', '/') + ".class";
        String url = String.valueOf(here.getResource('/' + file));
        String classes = url.substring(0, url.length() - file.length() - 1);
        String jar = classes.startsWith("jar:") ? classes.substring("jar:".length(), classes.length() - 1) : classes;
        return Path.of(URI.create(jar)).getParent();
    }

    /**
     * Does something on a thread whose network namespace is its own, and ends with it. Needs CAP_SYS_ADMIN.
     *
     * @throws IOException what the work throws; if there can be no such namespace an {@link OsException}
     */
    public static <T> T inNetworkNamespaceOfItsOwn(Callable<T> work) throws IOException {
        FutureTask<T> task = new FutureTask<>(() -> {
            check(LIBC.unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)");
            return work.call();
        });
        new Thread(task, "trial").start();
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException reason ? reason : new IOException(e.getCause());
        }
    }

    /**
     * Whether the calling thread's network namespace belongs to the user namespace that it is in, so that the kernel
     * has the same numbers for users and groups in both. True where that cannot be asked (before Linux 4.9).
     */
    static boolean isNetworkOfItsUsers() {
        try (Descriptor network = Descriptor.open(NAMESPACE + "net", Descriptor.O_RDONLY)) {
            int fd = LIBC.ioctl(network.fd(), NS_GET_USERNS, 0);
            if (fd == -1) {
                return Native.errno() != OsException.EPERM;
            }
            try (Descriptor owner = new Descriptor(fd)) {
                return Files.readSymbolicLink(Path.of("/proc/thread-self/fd", String.valueOf(owner.fd())))
                        .equals(Files.readSymbolicLink(Path.of(NAMESPACE, "user")));
            }
        } catch (IOException e) {
            return true;
        }
    }

    /**
     * From now on the calling thread, and no other, gets the time that nobody else wants: Linux takes a thread for a
     * process here.
     */
    public static void lowerThreadPriority() throws OsException {
        check(LIBC.setpriority(PRIO_PROCESS, SELF, NICEST), "setpriority");
    }

    /** From now on those threads of the JVM that compile for speed get a third of the time of others that want it. */
    public static void lowerCompilerPriority() throws IOException {
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads) {
                if (nameOf(thread).startsWith(COMPILER_FOR_SPEED)) {
                    int id = Integer.parseInt(thread.getFileName().toString());
                    check(LIBC.setpriority(PRIO_PROCESS, id, NICE), "setpriority");
                }
            }
        }
    }

    private static String nameOf(Path thread) {
        try {
            return Files.readString(thread.resolve("comm"));
        } catch (IOException e) {
            // It has ended.
            return "";
        }
    }
}
