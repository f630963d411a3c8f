package org.xfrmbridge.esp;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A Python process that runs one of the {@code scapy/*_judge.py}; its head says what the lines mean. */
public final class ScapyJudge implements AutoCloseable {
    private final Path script;
    private final Process process;
    private final BufferedReader answers;
    private final String known;

    private ScapyJudge(Path script, Process process, BufferedReader answers, String known) {
        this.script = script;
        this.process = process;
        this.answers = answers;
        this.known = known;
    }

    /** Empty where no Python with Scapy is to be found. */
    public static Optional<ScapyJudge> start(String resource) throws IOException {
        Path script = Files.createTempFile("judge", ".py");
        try (InputStream in = ScapyJudge.class.getResourceAsStream(resource)) {
            Files.write(script, in.readAllBytes());
        }
        for (String python : List.of("python3", "/usr/bin/python3")) {
            Optional<ScapyJudge> judge = start(python, script);
            if (judge.isPresent()) {
                return judge;
            }
        }
        Files.delete(script);
        return Optional.empty();
    }

    private static Optional<ScapyJudge> start(String python, Path script) {
        try {
            Process process = new ProcessBuilder(python, script.toString()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            BufferedReader answers = process.inputReader(StandardCharsets.US_ASCII);
            String ready = answers.readLine();
            if (ready != null && ready.startsWith("ready ")) {
                return Optional.of(new ScapyJudge(script, process, answers, ready + " "));
            }
            process.destroy();
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether this Scapy has the algorithm: old ciphers come and go with the versions of its libraries. */
    boolean knows(String algorithm) {
        return known.contains(" " + algorithm + " ");
    }

    /** The answer after {@code ok}. */
    public String ask(String request) throws IOException {
        String answer = answer(request);
        if (!answer.startsWith("ok ")) {
            throw new AssertionError(answer + " to " + request);
        }
        return answer.substring(3);
    }

    String answer(String request) throws IOException {
        OutputStream out = process.getOutputStream();
        out.write((request + "\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
        String answer = answers.readLine();
        if (answer == null) {
            throw new AssertionError("the judge died of " + request);
        }
        return answer;
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        Files.deleteIfExists(script);
    }
}
