package org.xfrmbridge.daemon;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.datapath.DropCause;
import org.xfrmbridge.datapath.DropReason;

/** README.md and docs/ speak of what is there: files, types and their members, headings, and lines that fit. */
class DocumentationTest {
    private static final int COLUMNS = 120;
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern LINK = Pattern.compile("]\\(([^):#]*)(#[^)]*)?\\)");
    /** A type, or one of its members: what else stands between backticks is not looked at. */
    private static final Pattern TYPE = Pattern.compile("`([A-Z][a-z]+(?:[A-Z][a-z]*)*)(?:\\.(\\w+))?`");

    private static final Pattern FILE = Pattern.compile("`(?:\\./)?([\\w./-]+\\.(?:c|h|java|md|py|sh|svg))`");
    private static final Pattern DECLARED = Pattern.compile("(?:class|interface|record|enum) ([A-Z]\\w*)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

    private static List<Path> files;
    private static List<Path> documents;
    private static Set<String> types;

    @BeforeAll
    static void readTree() throws IOException {
        try (Stream<Path> all = Files.walk(ROOT)) {
            files = all.map(ROOT::relativize)
                    .filter(file -> !file.toString().contains("target/")
                            && !file.toString().startsWith("."))
                    .toList();
        }
        documents = ending(".md").toList();
        types = ending(".java")
                .flatMap(file -> DECLARED.matcher(read(file)).results())
                .map(match -> match.group(1))
                .collect(toSet());
    }

    private static Stream<Path> ending(String end) {
        return files.stream().filter(file -> file.toString().endsWith(end));
    }

    private static String read(Path file) {
        try {
            return Files.readString(ROOT.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldHaveLinesThatFit() {
        List<String> faults = new ArrayList<>();
        for (Path document : documents) {
            List<String> lines = read(document).lines().toList();
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).length() > COLUMNS) {
                    faults.add(document + ":" + (i + 1));
                }
            }
        }

        assertEquals(List.of(), faults, "lines of more than " + COLUMNS + " columns");
    }

    @Test
    void shouldLinkToWhatIsThere() {
        assertEquals(List.of(), faults(LINK, (document, link) -> {
            Path parent = document.getParent() == null ? Path.of("") : document.getParent();
            Path target = link.group(1).isEmpty()
                    ? document
                    : parent.resolve(link.group(1)).normalize();
            return files.contains(target)
                    && (link.group(2) == null || headings(target).contains(link.group(2)));
        }));
    }

    /** As GitHub makes anchors of headings. */
    private static Set<String> headings(Path document) {
        return HEADING.matcher(read(document))
                .results()
                .map(heading -> "#"
                        + heading.group(1)
                                .toLowerCase(Locale.ROOT)
                                .replaceAll("[^\\w -]", "")
                                .replace(' ', '-'))
                .collect(toSet());
    }

    @Test
    void shouldNameFilesThatAreThere() {
        assertEquals(
                List.of(),
                faults(FILE, (document, name) -> files.stream().anyMatch(file -> file.endsWith(name.group(1)))));
    }

    @Test
    void shouldNameTypesThatAreThere() {
        assertEquals(
                List.of(),
                faults(
                        TYPE,
                        (document, name) -> types.contains(name.group(1))
                                ? name.group(2) == null || hasMember(name.group(1), name.group(2))
                                : isCounter(name.group(1))));
    }

    private static boolean hasMember(String type, String member) {
        Pattern word = Pattern.compile("\\b" + member + "\\b");
        return files.stream()
                .filter(file -> file.endsWith(type + ".java"))
                .anyMatch(file -> word.matcher(read(file)).find());
    }

    private static boolean isCounter(String name) {
        return Arrays.stream(DropReason.values())
                .anyMatch(reason -> name.equals("Xfrm" + reason.label()) || name.equals("Bridge" + reason.label()));
    }

    /** No reason, and no cause, without its row: reason, sentence, and what to do. */
    @Test
    void shouldListWhyPacketsAreDropped() {
        String list = read(Path.of("docs/drops.md")).replaceAll("\\s+", " ");
        Set<DropReason> given =
                Arrays.stream(DropCause.values()).map(DropCause::reason).collect(toSet());
        for (DropReason reason : DropReason.values()) {
            String name = "Xfrm" + reason.label();
            if (reason.isInXfrmStat()) {
                assertTrue(list.contains(given.contains(reason) ? "## " + name + " " : "- `" + name + "`: "), name);
            }
        }
        for (DropCause cause : DropCause.values()) {
            String name = cause.name().toLowerCase(Locale.ROOT).replace('_', '-');
            assertTrue(list.contains("- **" + name + "**: " + cause.sentence() + " Look at: " + cause.advice()), name);
        }
    }

    /** README's example is a program that tests run, but for where its clients come from. */
    @Test
    void shouldShowAnExampleThatRuns() {
        String shown = read(Path.of("README.md"))
                .lines()
                .dropWhile(line -> !line.equals("```java"))
                .skip(1)
                .takeWhile(line -> !line.equals("```"))
                .map(line -> line.replaceFirst(" +// .*", ""))
                .collect(joining());
        String example = read(Path.of("bridge-daemon/src/test/java/org/xfrmbridge/example/XfrmExample.java"));

        assertTrue(dense(example).contains(dense(shown.substring(shown.indexOf("XfrmEvents")))), shown);
    }

    private static String dense(String code) {
        return code.replaceAll("\\s", "");
    }

    private interface Check {
        boolean holds(Path document, MatchResult match);
    }

    private static List<String> faults(Pattern pattern, Check check) {
        return documents.stream()
                .flatMap(document -> pattern.matcher(read(document))
                        .results()
                        .filter(match -> !check.holds(document, match))
                        .map(match -> document + ": " + match.group()))
                .toList();
    }
}
