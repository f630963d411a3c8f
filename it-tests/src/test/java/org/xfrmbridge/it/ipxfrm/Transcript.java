package org.xfrmbridge.it.ipxfrm;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a list of commands printed, with everything taken out that differs between two runs on one kernel or two hosts:
 * times, SPIs chosen from a range, sizes of hash tables, the name of a device, and the wording of explanations, which
 * is ours where the kernel's is the kernel's.
 *
 * @param lines one command after {@code $}, what it printed, and its exit code after {@code =}
 */
record Transcript(List<String> lines) {
    private static final Pattern TIME = Pattern.compile("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d");
    private static final Pattern CHOSEN_SPI =
            Pattern.compile("0x00009[0-9a-f]{3}|\\(0x9[0-9a-f]{3}\\)|\\b36[89]\\d\\d\\(|\\b[34]\\d{4}\\(");
    private static final Pattern EXPLANATION = Pattern.compile("^Error: .*");
    /** The size of the SAD's hash tables; a kernel's grow when they meet collisions. */
    private static final Pattern BUCKETS = Pattern.compile("(SAD count \\d+ \\(buckets count) \\d+");
    /** What leads to 192.0.2.2 is called otherwise on each kind of host. */
    private static final Pattern DEVICE = Pattern.compile("\\bdev (eth0|dummy0|xfrm0)\\b");

    private static final Pattern LAST_USED = Pattern.compile("\\s*lastused .*");
    /** What one may ask {@code ip xfrm monitor} for; without any it is all. */
    private static final List<String> MONITORS =
            List.of("all", "nokeys", "all-nsid", "acquire", "expire", "SA", "aevent", "policy", "report");
    /** A monitor joins its groups right after it has opened its socket. */
    private static final String UNTIL_CONNECTED = """
            for monitor in $monitors; do
                for try in $(seq 300); do
                    ls -l /proc/$monitor/fd 2>/dev/null | grep -q socket: && break
                    sleep 0.1
                done
            done
            sleep 1
            """;
    /** Until a second has passed without an event. */
    private static final String UNTIL_QUIET = """
            before=-1
            while now=$(cat %s/events-* | wc -c); [ "$now" != "$before" ]; do
                before=$now
                sleep 1
            done
            kill $monitors
            """;

    private static final Path SOURCES = Path.of("src/test/resources/org/xfrmbridge/it/ipxfrm");

    static Transcript of(String output) {
        List<String> lines = new ArrayList<>();
        for (String line : output.split("\n")) {
            if (!LAST_USED.matcher(line).matches()) {
                lines.add(sanitized(line));
            }
        }
        return new Transcript(List.copyOf(lines));
    }

    private static String sanitized(String line) {
        if (line.startsWith("$ ")) {
            return line;
        }
        String text = TIME.matcher(line).replaceAll("TIME");
        text = CHOSEN_SPI.matcher(text).replaceAll("SPI");
        text = BUCKETS.matcher(text).replaceAll("$1 N");
        text = DEVICE.matcher(text).replaceAll("dev DEVICE");
        return EXPLANATION.matcher(text).replaceAll("Error: TEXT").stripTrailing();
    }

    /** The recorded transcript of that name. */
    static Transcript recorded(String name) {
        return of(resource(name + ".transcript"));
    }

    /** Replaces the recorded transcript in the source tree. */
    void record(String name) {
        try {
            Files.writeString(SOURCES.resolve(name + ".transcript"), String.join("\n", lines) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A shell script that runs the commands of that name and prints the transcript. */
    static String script(String name) {
        StringBuilder script = new StringBuilder();
        for (String command : resource(name + ".commands").split("\n")) {
            if (!command.startsWith("#")) {
                script.append("cat <<'END'\n$ ")
                        .append(command)
                        .append("\nEND\n")
                        .append(command)
                        .append(" 2>&1\necho \"= $?\"\n");
            }
        }
        return script.toString();
    }

    /** The same beside {@code ip xfrm monitor} in all its forms, whose output follows that of the commands. */
    static String monitoredScript(String name, String directory) {
        StringBuilder start = new StringBuilder();
        StringBuilder end = new StringBuilder(UNTIL_QUIET.formatted(directory));
        for (String form : MONITORS) {
            String events = directory + "/events-" + MONITORS.indexOf(form);
            start.append("ip xfrm monitor ")
                    .append(form)
                    .append(" > ")
                    .append(events)
                    .append(" 2>&1 &\nmonitors=\"$monitors $!\"\n");
            end.append("echo '$ ip xfrm monitor ")
                    .append(form)
                    .append("'\ncat ")
                    .append(events)
                    .append('\n');
        }
        return start + UNTIL_CONNECTED + script(name) + end;
    }

    private static String resource(String file) {
        try (InputStream text = Transcript.class.getResourceAsStream(file)) {
            if (text == null) {
                throw new IllegalStateException("no resource " + file);
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
