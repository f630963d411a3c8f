package org.xfrmbridge.it.pfkey;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Command;

/** The program {@code client.c}, which speaks PF_KEY; its head says what it can be asked for. */
public final class PfkeyProgram {
    private PfkeyProgram() {}

    /**
     * Where the program is, among the scene's files.
     *
     * @param compiler and its options
     */
    public static Path compile(Scene scene, String... compiler) {
        for (String file : List.of("client.c", "messages.h", "options.h")) {
            try (InputStream in = PfkeyProgram.class.getResourceAsStream(file)) {
                Files.writeString(scene.file(file), new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        Path program = scene.file("client");
        List<String> line = new ArrayList<>(List.of(compiler));
        line.addAll(
                List.of("-O2", "-o", program.toString(), scene.file("client.c").toString()));
        new Command(line).run();
        return program;
    }
}
