package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A Python process that runs one of the {@code scapy/*_judge.py} for a test class; its head says what the lines mean. A
 * test that asks it is skipped where there is no Python with Scapy.
 */
public final class ScapyJudge implements BeforeAllCallback, AfterAllCallback {
    private final String resource;
    private Path script;
    private Process process;
    private BufferedReader answers;
    private String known;

    public ScapyJudge(String resource) {
        this.resource = resource;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        script = Files.createTempFile("judge", ".py");
        try (InputStream in = ScapyJudge.class.getResourceAsStream(resource)) {
            Files.write(script, in.readAllBytes());
        }
        for (String python : List.of("python3", "/usr/bin/python3")) {
            if (process == null) {
                start(python);
            }
        }
    }

    private void start(String python) throws IOException {
        Process started;
        try {
            started = new ProcessBuilder(python, script.toString())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            return;
        }
        answers = started.inputReader(StandardCharsets.US_ASCII);
        String ready = answers.readLine();
        if (ready != null && ready.startsWith("ready ")) {
            known = ready + " ";
            process = started;
        } else {
            started.destroy();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        if (process != null) {
            process.destroy();
        }
        Files.deleteIfExists(script);
    }

    /** Whether there is one to be asked. */
    public boolean isPresent() {
        return process != null;
    }

    /** Whether this Scapy has the algorithm: old ciphers come and go with the versions of its libraries. */
    boolean knows(String algorithm) {
        assumePresent();
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

    public String answer(String request) throws IOException {
        assumePresent();
        OutputStream out = process.getOutputStream();
        out.write((request + "\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
        String answer = answers.readLine();
        if (answer == null) {
            throw new AssertionError("the judge died of " + request);
        }
        return answer;
    }

    private void assumePresent() {
        assumeTrue(
                isPresent(),
                "no python3 with scapy and cryptography here (Debian: python3-scapy, python3-cryptography)");
    }
}
