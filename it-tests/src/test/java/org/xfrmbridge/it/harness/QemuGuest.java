package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xfrmbridge.lab.Command;

/**
 * A real Linux kernel in a virtual machine that needs no hardware support: qemu with an unpacked kernel package. A
 * static program is its first process; it finds {@code /script} and {@code /modules}, writes its result to the disk
 * {@code /dev/vda}, and powers off.
 */
public final class QemuGuest {
    /**
     * Where {@code dpkg-deb -x linux-image-*.deb DIRECTORY} has put a kernel; if it is not where {@code ./check} does.
     */
    private static final String PROPERTY = "linux.package";

    private static final String OF_CHECK = "target/linux-6.12";

    private static final long DISK_BYTES = 1L << 30;
    private static final List<String> DEVICES = List.of("virtio_blk");

    private QemuGuest() {}

    /** The unpacked package, if the machine has one. */
    static Optional<Path> installed() {
        return Optional.of(Path.of(System.getProperty(PROPERTY, OF_CHECK)))
                .filter(path -> Files.isDirectory(path.resolve("boot")));
    }

    /** Runs the program to the guest's end and returns its disk. */
    public static Path run(Scene scene, Path program, Path script, Duration limit) {
        Path linux = installed().orElseThrow();
        Path archive = scene.file("initramfs");
        Path disk = scene.file("disk");
        try (Cpio cpio = new Cpio(archive);
                RandomAccessFile space = new RandomAccessFile(disk.toFile(), "rw")) {
            space.setLength(DISK_BYTES);
            pack(cpio, scene, linux, program, script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path console = scene.file("console.log");
        Command.of(
                        "qemu-system-x86_64",
                        "-M",
                        "q35",
                        "-cpu",
                        "max",
                        "-m",
                        "1024",
                        "-no-reboot",
                        "-kernel",
                        kernel(linux).toString(),
                        "-initrd",
                        archive.toString(),
                        "-append",
                        "console=ttyS0 quiet panic=-1 no_timer_check",
                        "-serial",
                        "file:" + console,
                        "-monitor",
                        "none",
                        "-display",
                        "none",
                        "-nic",
                        "none",
                        "-drive",
                        "if=virtio,format=raw,file=" + disk)
                .within(limit)
                .run();
        return disk;
    }

    private static void pack(Cpio cpio, Scene scene, Path linux, Path program, Path script) throws IOException {
        cpio.addDirectory("/dev");
        cpio.addDirectory("/proc");
        cpio.add("/init", program);
        cpio.add("/script", script);
        Path directory = only(linux.resolve("lib/modules"), "");
        List<Path> modules = new KernelModules(directory).inLoadOrder(KernelModules.xfrmAnd(DEVICES));
        for (Path module : modules) {
            cpio.add("/modules.d/" + module.getFileName(), module);
        }
        Path list = Files.writeString(
                scene.file("modules"),
                modules.stream()
                        .map(module -> "/modules.d/" + module.getFileName() + "\n")
                        .collect(Collectors.joining()));
        cpio.add("/modules", list);
    }

    private static Path kernel(Path linux) {
        return only(linux.resolve("boot"), "vmlinuz");
    }

    private static Path only(Path directory, String prefix) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith(prefix))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
