package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;

/**
 * A real Linux kernel with XFRM and ESP, as an ordinary process: user-mode-linux on the host's own files, which it
 * cannot change. It runs one shell script and powers off.
 */
public final class UmlGuest implements AutoCloseable {
    private static final Path MODULES = Path.of("/usr/lib/uml/modules");
    /** The guest may not keep more than SSE registers across a page fault; see uml-start.c. */
    private static final String NO_WIDE_REGISTERS = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,"
            + "-AVX512BW,-AVX512CD,-AVX512DQ,-AVX_Fast_Unaligned_Load";

    private static final String HALTED = "reboot: System halted";
    private static final int SHOWN_CHARACTERS = 1500;
    private static final Duration POLL = Duration.ofMillis(100);
    private static final List<String> DEVICES = List.of("ipv6", "dummy", "udp_tunnel");

    private final Path directory;
    private final Daemon kernel;

    /** The modules of the installed user-mode-linux, if there is one. */
    static Optional<Path> modules() {
        try (Stream<Path> versions = Files.list(MODULES)) {
            return versions.filter(version -> Files.exists(version.resolve("modules.dep")))
                    .max(Path::compareTo);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Boots a guest that runs {@code script}, with no network device but loopback. */
    public static UmlGuest boot(Scene scene, String script) {
        return scene.own(new UmlGuest(scene, List.of(), script, List.of()));
    }

    /** Boots a guest whose devices {@code vec0}, {@code vec1} are these TAP devices of a namespace. */
    public static UmlGuest boot(Scene scene, String script, Namespace namespace, String... taps) {
        List<String> devices = new ArrayList<>();
        for (String tap : taps) {
            devices.add("vec" + devices.size() + ":transport=tap,ifname=" + tap + ",depth=128,gro=1");
        }
        return scene.own(new UmlGuest(scene, List.of("ip", "netns", "exec", namespace.name()), script, devices));
    }

    private UmlGuest(Scene scene, List<String> prefix, String script, List<String> parameters) {
        try {
            directory = Files.createDirectory(scene.file(scene.uniqueName()));
            Files.writeString(directory.resolve("script"), script);
            Files.writeString(
                    directory.resolve("modules"),
                    new KernelModules(modules().orElseThrow())
                            .inLoadOrder(KernelModules.xfrmAnd(DEVICES)).stream()
                                    .map(Path::toString)
                                    .collect(Collectors.joining("\n", "", "\n")));
            Files.createFile(directory.resolve("output"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> line = new ArrayList<>(prefix);
        // Killing unshare kills everything in its pid namespace. One CPU: each guest system call switches between host
        // processes, which costs several times as much across CPUs.
        line.addAll(List.of(
                "unshare",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "taskset",
                "-c",
                "0",
                compiled(scene, "uml-start").toString(),
                "linux.uml",
                "rootfstype=hostfs",
                "root=/dev/root",
                "ro",
                "init=" + compiled(scene, "uml-init"),
                "scenario=" + directory,
                NO_WIDE_REGISTERS,
                "mem=512M",
                "con=null",
                "con0=null,fd:1",
                "ssl=null",
                "uml_dir=" + directory + "/",
                "umid=guest",
                "panic=-1"));
        line.addAll(parameters);
        kernel = Daemon.start("user-mode-linux", directory.resolve("console"), new Command(line));
    }

    /** A C program of ours, compiled once per scene. */
    private static Path compiled(Scene scene, String name) {
        Path program = scene.file(name);
        if (Files.exists(program)) {
            return program;
        }
        Path source = scene.file(name + ".c");
        try (InputStream text = UmlGuest.class.getResourceAsStream(name + ".c")) {
            Files.copy(text, source);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Command.of("gcc", "-static", "-O2", "-o", program.toString(), source.toString())
                .run();
        return program;
    }

    /** The directory that the script sees as {@code /mnt}. */
    public Path directory() {
        return directory;
    }

    /** What the script has printed so far. */
    public String output() {
        return Command.text(directory.resolve("output"));
    }

    /**
     * Waits until the script has printed a text. Throws, with what there is, if it ends or takes longer than the limit.
     */
    public void awaitOutput(String text, Duration limit) {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        while (!output().contains(text)) {
            if (!kernel.isAlive() || System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("the guest's script did not print " + text + " within " + limit.toSeconds()
                        + " s\n" + output() + "\n" + lastOf(kernel.output()));
            }
            Await.pause(POLL);
        }
    }

    private static String lastOf(String console) {
        return console.substring(Math.max(0, console.length() - SHOWN_CHARACTERS));
    }

    /** Waits for the script's end and returns what it printed. Throws if its exit code is not 0. */
    public String finish(Duration limit) {
        // Now and then the process of a guest that has halted does not end.
        kernel.await("halt", limit, () -> !kernel.isAlive() || kernel.output().contains(HALTED));
        kernel.kill9();
        Path exitCode = directory.resolve("exit-code");
        if (!Files.exists(exitCode) || !"0".equals(Command.text(exitCode).strip())) {
            throw new AssertionError("the guest's script failed\n" + output() + "\n" + lastOf(kernel.output()));
        }
        return output();
    }

    @Override
    public void close() {
        kernel.kill9();
    }
}
