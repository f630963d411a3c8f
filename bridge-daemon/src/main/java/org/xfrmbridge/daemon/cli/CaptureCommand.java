package org.xfrmbridge.daemon.cli;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.xfrmbridge.daemon.packets.CaptureBatch;
import org.xfrmbridge.daemon.packets.PacketAnswers;
import org.xfrmbridge.daemon.packets.PcapngFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes packets to a file for Wireshark. */
@Command(
        name = "capture",
        mixinStandardHelpOptions = true,
        description = {
            "Writes packets to a pcapng file as the bridge handles them, until it is ended: on the interface \"outer\" "
                    + "as they are on the wire, on \"inner\" the same in the clear, each with what became of it as a "
                    + "comment. FILTER is that of \"xfrm-bridge trace\". Readable by its owner alone.",
            "For root and the bridge's group."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {
            " 0:it was written",
            " 1:no bridge answers, or the file cannot be written",
            " 2:it was asked wrongly"
        },
        footer = {
            "",
            "Example:",
            "  xfrm-bridge capture -w esp.pcapng host 192.0.2.2",
            "  xfrm-bridge capture -w esp.pcapng --keys; WIRESHARK_CONFIG_DIR=esp.pcapng.keys wireshark esp.pcapng"
        })
final class CaptureCommand implements Callable<Integer> {
    private static final long BUSY_MS = 20;
    private static final long IDLE_MS = 100;
    private static final int PATIENCE_SECONDS = 10;
    private static final FileAttribute<?> OWNERS_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<?> OWNERS_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    @Spec
    private CommandSpec spec;

    @Mixin
    private QueryOptions options;

    @Option(
            names = "-w",
            paramLabel = "FILE",
            required = true,
            description = "The file, which must not be there yet; - for standard output.")
    private Path file;

    @Option(
            names = "--keys",
            description = "Writes the keys of the SAs that packets go through, too, to the directory FILE.keys, as "
                    + "Wireshark and tshark take them (esp_sa). Who has them reads all that these SAs protect.")
    private boolean keys;

    @Option(names = "--count", paramLabel = "N", description = "Ends after so many packets.")
    private long count = Long.MAX_VALUE;

    @Parameters(arity = "0..*", paramLabel = "FILTER", description = "Which packets. Default: all.")
    private List<String> filter = List.of();

    private final CountDownLatch written = new CountDownLatch(1);
    private volatile boolean ended;

    @Override
    public Integer call() throws Exception {
        String question;
        try {
            question = PacketAnswers.captureOf(filter);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage() + '.');
        }
        boolean toOutput = file.toString().equals("-");
        if (toOutput && keys) {
            throw new ParameterException(
                    spec.commandLine(), "--keys: name a file with -w, beside which they are to be.");
        }
        int id = PacketAnswers.opened(options.askAsPrivileged(question));
        Runtime.getRuntime().addShutdownHook(new Thread(this::end));
        try (OutputStream keyLines = keys ? keyFile() : OutputStream.nullOutputStream();
                PcapngFile capture = new PcapngFile(new BufferedOutputStream(toOutput ? output() : create(file)))) {
            System.err.printf("xfrm-bridge: writing packets to %s until Ctrl-C%n", toOutput ? "standard output" : file);
            write(id, capture, keyLines);
        } finally {
            written.countDown();
            options.askAsPrivileged("trace close " + id);
        }
        return 0;
    }

    /** The process ends: once the file is whole. */
    private void end() {
        ended = true;
        Uninterruptibles.awaitUninterruptibly(written, PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /** What Wireshark reads from a directory of configuration: the keys, and that it is to use them. */
    private OutputStream keyFile() throws IOException {
        Path directory = Path.of(file + ".keys");
        try {
            Files.createDirectory(directory, OWNERS_DIRECTORY);
        } catch (FileAlreadyExistsException e) {
            throw new IOException(directory + " is there already: move it away, or write to another file", e);
        }
        try (OutputStream preferences = create(directory.resolve("preferences"))) {
            preferences.write("esp.enable_encryption_decode: TRUE\nesp.enable_authentication_check: TRUE\n".getBytes());
        }
        System.err.printf(
                "xfrm-bridge: %s will hold keys: who has them reads all that these SAs protect; delete it afterwards%n",
                directory);
        return create(directory.resolve("esp_sa"));
    }

    /** That says so when nobody reads any more. */
    private static OutputStream output() {
        return new FileOutputStream(FileDescriptor.out);
    }

    private static OutputStream create(Path path) throws IOException {
        try {
            Files.createFile(path, OWNERS_FILE);
        } catch (FileAlreadyExistsException e) {
            throw new IOException(path + " is there already: move it away, or write to another file", e);
        } catch (NoSuchFileException e) {
            throw new IOException(path + " cannot be made: its directory is not there", e);
        }
        return Files.newOutputStream(path, StandardOpenOption.WRITE);
    }

    private void write(int id, PcapngFile capture, OutputStream keyLines) throws IOException, InterruptedException {
        String question = "trace frames " + id + (keys ? " keys" : "");
        LostPackets lost = new LostPackets("written");
        long left = count;
        boolean last = false;
        while (left > 0 && !last) {
            // What was there when it was ended is written, too.
            last = ended;
            CaptureBatch batch = PacketAnswers.frames(options.askAsPrivileged(question));
            for (CaptureBatch.Captured packet : batch.packets()) {
                if (left > 0) {
                    write(capture, packet);
                    left--;
                }
            }
            for (String line : batch.keys()) {
                keyLines.write((line + '\n').getBytes());
            }
            capture.flush();
            lost.add(batch.lost());
            if (!last) {
                TimeUnit.MILLISECONDS.sleep(batch.packets().isEmpty() ? IDLE_MS : BUSY_MS);
            }
        }
        lost.say();
    }

    private static void write(PcapngFile capture, CaptureBatch.Captured packet) throws IOException {
        if (packet.outer() != null) {
            byte[] frame = Base64.getDecoder().decode(packet.outer());
            capture.add(PcapngFile.OUTER, packet.epochMicros(), frame, packet.comment());
        }
        if (packet.inner() != null) {
            byte[] frame = Base64.getDecoder().decode(packet.inner());
            capture.add(PcapngFile.INNER, packet.epochMicros(), frame, packet.comment());
        }
    }
}
