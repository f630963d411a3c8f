package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options of {@code run} in a file: {@code NAME=VALUE} on a line, {@code NAME} alone for one that takes no value, blank
 * lines, and comments on lines of their own that begin with "#". What the command line says goes before it, and the
 * environment. Other commands take from it what they have, too.
 */
final class ConfigurationFile implements IDefaultValueProvider {
    /** Read if no other is named, and it is there. */
    static final Path DEFAULT = Path.of("/etc/xfrm-bridge/bridge.conf");

    /** Options that are for a command line alone. */
    private static final List<String> NOT_IN_FILES = List.of("config", "ready-fd", "help", "version");

    private final Map<String, String> values = new HashMap<>();

    /**
     * @param known the command whose options may stand in it
     * @throws IOException what is wrong with the file, in one sentence
     */
    ConfigurationFile(Path file, CommandSpec known) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new IOException("the file %s is no text: name another one with --config".formatted(file), e);
        } catch (IOException e) {
            throw new IOException(
                    "the file %s cannot be read: name another one with --config, or let this user read it"
                            .formatted(file),
                    e);
        }
        Map<String, OptionSpec> options = optionsOf(known);
        for (int i = 0; i < lines.size(); i++) {
            try {
                read(lines.get(i).strip(), options);
            } catch (IllegalArgumentException e) {
                throw new IOException("%s, line %d: %s".formatted(file, i + 1, e.getMessage()), e);
            }
        }
    }

    /** By the names that they have in a file. */
    static Map<String, OptionSpec> optionsOf(CommandSpec command) {
        Map<String, OptionSpec> options = new HashMap<>();
        for (OptionSpec option : command.options()) {
            String name = nameOf(option);
            if (!NOT_IN_FILES.contains(name)) {
                options.put(name, option);
            }
        }
        return options;
    }

    private static String nameOf(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }

    private void read(String line, Map<String, OptionSpec> options) {
        if (line.isEmpty() || line.startsWith("#")) {
            return;
        }
        String[] parts = line.split("=", 2);
        String name = parts[0].strip();
        OptionSpec option = options.get(name);
        if (option == null) {
            throw new IllegalArgumentException(unknown(name, options.keySet()));
        }
        String value = parts.length == 2 ? parts[1].strip() : "";
        boolean takesValue = option.arity().max() > 0;
        if (takesValue && value.isEmpty()) {
            throw new IllegalArgumentException(
                    "\"%s\" needs a value: %1$s=%s, or put a # in front of it".formatted(name, option.paramLabel()));
        }
        if (!takesValue && !List.of("", "true", "false").contains(value)) {
            throw new IllegalArgumentException("\"%s\" is true or false, not \"%s\"".formatted(name, value));
        }
        if (values.putIfAbsent(name, value.isEmpty() ? "true" : value) != null) {
            throw new IllegalArgumentException("\"%s\" is there twice: leave one".formatted(name));
        }
    }

    private static String unknown(String name, Set<String> known) {
        String said = "there is no option \"%s\"".formatted(name);
        return NearestWord.of(name, known)
                .map(other -> said + ": say \"" + other + "\"")
                .orElseGet(() -> said + ": there are " + String.join(", ", new TreeSet<>(known)));
    }

    /** Null where the file says nothing. */
    @Override
    public String defaultValue(ArgSpec argument) {
        return argument instanceof OptionSpec option && !DirectoryOption.isInEnvironment(option)
                ? values.get(nameOf(option))
                : null;
    }
}
