package org.xfrmbridge.it.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.xfrmbridge.it.harness.QemuGuest;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Namespace;

/** Has a kernel answer sequences: compiles {@code replay.c} and runs it there. */
final class KernelReplay {
    private static final Duration LIMIT = Duration.ofMinutes(30);

    private KernelReplay() {}

    static List<Recording> record(KernelKind kernel, List<Sequence> sequences) throws IOException {
        try (Scene scene = new Scene("conformance-" + kernel.release)) {
            Path script = scene.file("requests.script");
            Recording.writeScript(script, sequences);
            Path recording = switch (kernel) {
                case HOST -> onHost(scene, script);
                case LINUX_6_1 -> inUserModeLinux(scene, script);
                case LINUX_6_12 -> QemuGuest.run(scene, program(scene), script, LIMIT);
            };
            try (InputStream in = Files.newInputStream(recording)) {
                return Recording.read(in);
            }
        }
    }

    private static Path onHost(Scene scene, Path script) {
        Path recording = scene.file("answers.recording");
        Namespace namespace = new Namespace(scene, "kernel");
        namespace
                .command(program(scene).toString(), script.toString(), recording.toString())
                .within(LIMIT)
                .run();
        return recording;
    }

    private static Path inUserModeLinux(Scene scene, Path script) throws IOException {
        // The guest sees its own directory as /mnt; it exists only once the guest does.
        String wait = "while [ ! -e /mnt/go ]; do sleep 0.1; done\n";
        UmlGuest guest = UmlGuest.boot(scene, wait + "/mnt/replay /mnt/requests.script /mnt/answers.recording\n");
        Files.copy(program(scene), guest.directory().resolve("replay"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.copy(script, guest.directory().resolve("requests.script"));
        Files.createFile(guest.directory().resolve("go"));
        guest.finish(LIMIT);
        return guest.directory().resolve("answers.recording");
    }

    private static Path program(Scene scene) {
        Path program = scene.file("replay");
        Path source = scene.file("replay.c");
        try (InputStream text = KernelReplay.class.getResourceAsStream("replay.c")) {
            Files.copy(text, source);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Command.of("gcc", "-static", "-O2", "-o", program.toString(), source.toString())
                .run();
        return program;
    }
}
