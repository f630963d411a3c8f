package org.xfrmbridge.daemon.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    private final PrintStream standardOutput = System.out;
    private final PrintStream standardError = System.err;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    @TempDir
    private Path directory;

    @BeforeEach
    void redirect() {
        PrintStream stream = new PrintStream(output, true, StandardCharsets.UTF_8);
        System.setOut(stream);
        System.setErr(stream);
    }

    @AfterEach
    void restore() {
        System.setOut(standardOutput);
        System.setErr(standardError);
    }

    private String said() {
        return output.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "run",
                "exec",
                "status",
                "stat",
                "drops",
                "why",
                "trace",
                "capture",
                "detach",
                "firewall",
                "enable",
                "disable",
                "doctor"
            })
    void shouldExplainEachCommand(String command) {
        assertEquals(0, Main.execute(command, "--help"));
        assertTrue(said().contains("Usage: xfrm-bridge " + command + " "), said());
        assertTrue(said().contains("\nExit code:\n"), said());
        assertTrue(said().contains("\nExample:\n  xfrm-bridge " + command), said());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "run --version", "exec -V", "stat -V", "doctor --version"})
    void shouldSayItsVersion(String words) {
        assertEquals(0, Main.execute(words.split(" ")));
        assertTrue(said().startsWith("xfrm-bridge "), said());
    }

    /** Its script reads no such file. */
    @Test
    void shouldOfferNoConfigurationFileToExec() {
        Main.execute("exec", "--help");
        assertFalse(said().contains("--config"), said());
    }

    @Test
    void shouldListTheCommands() {
        assertEquals(0, Main.execute("--help"));
        assertTrue(said().contains("run ") && said().contains("stat "), said());
    }

    @Test
    void shouldSayWhatIsWrongWhenAskedWrongly() {
        assertEquals(2, Main.execute());
        assertEquals(2, Main.execute("nonsense"));
        assertEquals(2, Main.execute("run", "--mark-bit", "0x3"));
        assertTrue(said().contains("--mark-bit: a number with one bit"), said());
        assertEquals(2, Main.execute("run", "--mark-opened", "0x40000001"));
        assertEquals(2, Main.execute("run", "--mark-opened", "blue"));
        assertEquals(2, Main.execute("run", "--attach", "eth0", "--tap", "a-name-that-is-too-long"));
        assertEquals(2, Main.execute("run", "--attach", "eth0", "--flows", "0"));
        assertEquals(2, Main.execute("run", "--attach", "eth0", "--flows", "100000000"));
        assertEquals(2, Main.execute("run", "--attach", "eth0", "--acquires", "0"));
        assertTrue(said().contains("--acquires: from 1 to"), said());
        assertEquals(
                2, Main.execute("stat", "--config", directory.resolve("absent").toString()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "help              | there is no command help: see | ''",
                "stta              | there is no command stta: say stat, or see | ''",
                "--dir /x stat     | --dir goes behind the command: say xfrm-bridge stat --dir ... | ''",
                "run --atach eth0  | there is no option --atach: say --attach, or see | run",
                "run --tap         | missing required parameter for option '--tap' (NAME): see | run",
                "stat more         | \"more\" is one word too many: leave it out, or see | stat",
                "run --mark-bit 3  | --mark-bit: a number with one bit, 0x40000000 or another: see | run",
            })
    void shouldSayInOneSentenceWhatIsWrongWithACommandLine(String words, String sentence, String command) {
        assertEquals(2, Main.execute(words.split(" +")));
        String help = " \"xfrm-bridge " + (command.isEmpty() ? "" : command + ' ') + "--help\"";
        assertEquals("xfrm-bridge: " + sentence + (sentence.endsWith("see") ? help : "") + '\n', said());
    }

    @Test
    void shouldExplainItselfToWhoSaysNothing() {
        assertEquals(2, Main.execute());
        assertTrue(said().startsWith("Usage: xfrm-bridge "), said());
    }

    @Test
    void shouldExplainACommandWhateverTheConfigurationFile() {
        assertEquals(0, Main.execute("run", "--config", "absent", "--help"));
    }

    @Test
    void shouldSayInOneSentenceThatNoBridgeIsThere() {
        assertEquals(1, Main.execute("stat", "--dir", directory.toString()));
        assertEquals(1, said().lines().count(), said());
        assertTrue(said().startsWith("xfrm-bridge: no bridge answers in " + directory), said());
    }

    @Test
    void shouldSayThatNothingRunsNorIsLeftInAnEmptyDirectory() {
        assertEquals(3, Main.execute("status", "--dir", directory.toString()));
        assertEquals("xfrm-bridge does not run in " + directory + ", and has left nothing\n", said());
    }

    @Test
    void shouldHaveNothingToDetachInAnEmptyDirectory() {
        assertEquals(0, Main.execute("detach", "--dir", directory.toString()));
        assertTrue(said().startsWith("nothing is attached"), said());
    }

    @Test
    void shouldSayThatNothingWouldEndInAnEmptyDirectory() {
        assertEquals(0, Main.execute("detach", "--dry-run", "--dir", directory.toString()));
        assertTrue(said().startsWith("no policy protects"), said());
    }

    @Test
    void shouldTakeOptionsFromAFile() throws IOException {
        Path file = directory.resolve("bridge.conf");
        Files.writeString(file, "dir=" + directory.resolve("elsewhere") + "\nattach=no-such-interface\n");
        assumeTrue(System.getenv("XFRM_BRIDGE_DIR") == null, "the environment goes before the file");
        assertEquals(1, Main.execute("stat", "--config", file.toString()));
        assertTrue(said().contains(directory.resolve("elsewhere").toString()), said());
    }
}
