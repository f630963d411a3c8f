package org.xfrmbridge.it.instack;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;

/**
 * A host's D-Bus and udev, and the programs that ask them, with files of {@code /etc} and {@code /usr} of their own.
 * All of it ends with its scene.
 */
final class NetworkPrograms implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Scene scene;
    private final Namespace host;
    private final Daemon surroundings;
    private final List<Daemon> programs = new ArrayList<>();

    /** @param files texts, by paths such as {@code etc/sysctl.d/50-default.conf} */
    NetworkPrograms(Scene scene, Namespace host, Map<String, String> files) {
        this.scene = scene;
        this.host = host;
        Path directory = scene.file(scene.uniqueName());
        files.forEach((path, text) -> Lab.write(directory.resolve(path), text));
        Path script = TwoWires.program("programs.sh", directory.resolve("programs.sh"));
        Command command = host.command(
                "unshare", "--mount", "sh", script.toString(), directory.toString(), Requirement.networkPrograms());
        surroundings = scene.own(host.start("programs.sh", scene.file(directory.getFileName() + ".log"), command));
        surroundings.awaitOutput("prepared", PATIENCE);
    }

    /** A program of the host that runs on. */
    Daemon start(String... line) {
        String name = Path.of(line[0]).getFileName().toString();
        Daemon program = scene.own(host.start(name, scene.file(name + ".log"), here(line)));
        programs.add(program);
        return program;
    }

    String run(String... line) {
        return here(line).run();
    }

    private Command here(String... line) {
        List<String> all = new ArrayList<>(
                List.of("nsenter", "--target", Long.toString(surroundings.pid()), "--mount", "--net", "--"));
        all.addAll(List.of(line));
        return new Command(all);
    }

    @Override
    public void close() {
        programs.forEach(Daemon::close);
        surroundings.close();
    }
}
