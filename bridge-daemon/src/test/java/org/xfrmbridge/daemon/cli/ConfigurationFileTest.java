package org.xfrmbridge.daemon.cli;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class ConfigurationFileTest {
    private final CommandSpec run = new CommandLine(new RunCommand()).getCommandSpec();

    @TempDir
    private Path directory;

    private ConfigurationFile read(String text) throws IOException {
        return new ConfigurationFile(Files.writeString(directory.resolve("bridge.conf"), text), run);
    }

    @Test
    void shouldReadValuesCommentsAndOptionsWithoutOne() throws Exception {
        ConfigurationFile file = read("# comment = 1\n\n  attach = eth0 \nclamp-mss\nmark-opened=0x10");
        assertEquals("eth0", file.defaultValue(run.findOption("--attach")));
        assertEquals("true", file.defaultValue(run.findOption("--clamp-mss")));
        assertEquals("0x10", file.defaultValue(run.findOption("--mark-opened")));
        assertEquals(null, file.defaultValue(run.findOption("--tap")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mark-openend=1 | line 1: there is no option \"mark-openend\": say \"mark-opened\"",
                "atach=eth0     | line 1: there is no option \"atach\": say \"attach\"",
                "tpa=xfrm1      | line 1: there is no option \"tpa\": say \"tap\"",
                "--attach=eth0  | line 1: there is no option \"--attach\": say \"attach\"",
                "something=1    | there are acquires, attach, clamp-mss, dir, flows, group, log-format",
                "config=other   | line 1: there is no option \"config\"",
                "attach         | line 1: \"attach\" needs a value: attach=IFACE",
                "attach=        | line 1: \"attach\" needs a value",
                "clamp-mss=yes  | line 1: \"clamp-mss\" is true or false, not \"yes\"",
            })
    void shouldRefuseInOneSentenceWhatIsNoOption(String line, String said) {
        String message =
                assertThrows(IOException.class, () -> read(line + '\n')).getMessage();
        assertTrue(message.contains(said), message);
        assertEquals(1, message.lines().count());
    }

    @Test
    void shouldRefuseWhatIsThereTwice() {
        String message =
                assertThrows(IOException.class, () -> read("tap=a\n#\ntap=b\n")).getMessage();
        assertTrue(message.endsWith("line 3: \"tap\" is there twice: leave one"), message);
    }

    /** The file that is installed says nothing until somebody takes a "#" away. */
    @Test
    void shouldFindAllOptionsInTheSample() throws Exception {
        String sample = Files.readString(Path.of("../packaging/bridge.conf"));
        read(sample);
        Set<String> shown = Pattern.compile("(?m)^#([a-z-]+)=.*$")
                .matcher(sample)
                .results()
                .map(match -> match.group(1))
                .collect(toSet());
        assertEquals(ConfigurationFile.optionsOf(run).keySet(), shown);
        read(sample.replaceAll("(?m)^#(?=[a-z-]+=)", ""));
    }

    /** What concerns only who runs a bridge does not keep others from asking it without a JVM. */
    @Test
    void shouldBeReadByTheScriptThatAsks() throws Exception {
        String script = Files.readString(Path.of("src/main/sh/ask.sh"));
        for (String option : ConfigurationFile.optionsOf(run).keySet()) {
            assertEquals(
                    !option.equals("dir"), script.contains(" " + option + "[") || script.contains(" " + option + "*"));
        }
    }
}
