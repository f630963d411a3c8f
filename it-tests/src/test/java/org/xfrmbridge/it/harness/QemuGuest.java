package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Lab;

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

    /** Where Debian has it: as a package of its own, or before Debian 13 as a part of qemu. */
    private static final List<Path> VIRTIOFSD =
            List.of(Path.of("/usr/libexec/virtiofsd"), Path.of("/usr/lib/qemu/virtiofsd"));

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long DISK_BYTES = 1L << 30;
    private static final List<String> DEVICES = List.of("virtio_blk");

    private QemuGuest() {}

    /** The unpacked package, if the machine has one. */
    static Optional<Path> installed() {
        return Optional.of(Path.of(System.getProperty(PROPERTY, OF_CHECK)))
                .filter(path -> Files.isDirectory(path.resolve("boot")));
    }

    /** What shows this machine's files to a guest, if it is installed. */
    static Optional<Path> virtiofsd() {
        return VIRTIOFSD.stream().filter(Files::isExecutable).findFirst();
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

    /**
     * Runs a shell script in a guest that sees this machine's files, and returns what it printed. They are read-only
     * but for {@code /tmp} and {@code /run}, which are empty. Throws if its exit code is not 0.
     *
     * @param modules of the kernel that the script needs; others are not found
     */
    public static String runOnHostFiles(Scene scene, List<String> modules, String script, Duration limit) {
        Path linux = installed().orElseThrow().toAbsolutePath();
        Path output = scene.file("guest-output");
        Path init = scene.file("guest-init");
        copy("guest-init.sh", init);
        Lab.write(scene.file("guest-script"), script);
        Command.of("chmod", "+x", init.toString()).run();
        Path socket = scene.file("files");
        scene.own(Daemon.start(
                "virtiofsd",
                scene.file("virtiofsd.log"),
                Command.of(
                        virtiofsd().orElseThrow().toString(),
                        "--socket-path=" + socket,
                        "-o",
                        "source=/",
                        "-o",
                        "sandbox=chroot",
                        "-o",
                        "cache=always")));
        Await.until("virtiofsd", PATIENCE, () -> Files.exists(socket));
        Command.of(
                        "qemu-system-x86_64",
                        "-M",
                        "q35",
                        "-cpu",
                        "max",
                        "-smp",
                        "2",
                        "-m",
                        "1024",
                        "-object",
                        "memory-backend-memfd,id=memory,size=1024M,share=on",
                        "-numa",
                        "node,memdev=memory",
                        "-chardev",
                        "socket,id=files,path=" + socket,
                        "-device",
                        "vhost-user-fs-pci,chardev=files,tag=host",
                        "-no-reboot",
                        "-kernel",
                        kernel(linux).toString(),
                        "-append",
                        "root=host rootfstype=virtiofs ro console=ttyS0 quiet panic=-1 no_timer_check init=" + init
                                + " scenario=" + scene.directory() + " linux=" + linux + " modules="
                                + String.join(",", modules),
                        "-serial",
                        "file:" + scene.file("console.log"),
                        "-serial",
                        "file:" + output,
                        "-monitor",
                        "none",
                        "-display",
                        "none",
                        "-nic",
                        "none")
                .within(limit)
                .run();
        List<String> lines = Command.text(output).replace("\r", "").lines().toList();
        if (lines.isEmpty() || !lines.getLast().equals("exit code 0")) {
            throw new AssertionError("the guest's script failed\n" + String.join("\n", lines));
        }
        return String.join("\n", lines.subList(0, lines.size() - 1));
    }

    /**
     * The same under this machine's systemd, with D-Bus and udev; other units are started by the script alone. All
     * files can be written, and are as before when the guest has ended. Needs the module overlay.
     */
    public static String boot(Scene scene, List<String> modules, String script, Duration limit) {
        copy("guest-boot.sh", scene.file("guest-boot"));
        return runOnHostFiles(scene, modules, script, limit);
    }

    private static void copy(String resource, Path to) {
        try (InputStream text = QemuGuest.class.getResourceAsStream(resource)) {
            Files.copy(text, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
