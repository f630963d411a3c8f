package org.xfrmbridge.daemon.cli;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says in one sentence what is wrong with a command line, and what to say instead. Exit code 2. */
final class UsageMistake implements IParameterExceptionHandler {
    private static final int WRONG = 2;

    @Override
    public int handleParseException(ParameterException reason, String[] arguments) {
        CommandLine line = reason.getCommandLine();
        if (line.getParent() == null && arguments.length == 0) {
            line.usage(System.err);
        } else {
            System.err.println("xfrm-bridge: " + sentence(reason, line, arguments));
        }
        return WRONG;
    }

    private static String sentence(ParameterException reason, CommandLine line, String[] arguments) {
        String name = line.getCommandSpec().qualifiedName();
        String help = "see \"%s%s --help\"".formatted(name.startsWith(Main.NAME) ? "" : Main.NAME + ' ', name);
        if (!(reason instanceof UnmatchedArgumentException unmatched)) {
            String said = reason.getMessage().lines().findFirst().orElse("");
            return Character.toLowerCase(said.charAt(0)) + said.substring(1).replaceFirst("[.]$", "") + ": " + help;
        }
        String word = unmatched.getUnmatched().getFirst();
        Collection<String> commands = line.getSubcommands().keySet();
        if (word.startsWith("-") && !commands.isEmpty()) {
            return "%s goes behind the command: say %s %s %1$s ..."
                    .formatted(
                            word,
                            Main.NAME,
                            Arrays.stream(arguments)
                                    .filter(commands::contains)
                                    .findFirst()
                                    .orElse("COMMAND"));
        }
        if (word.startsWith("-")) {
            List<String> options = line.getCommandSpec().options().stream()
                    .map(OptionSpec::longestName)
                    .toList();
            return "there is no option %s: %s%s".formatted(word, instead(word, options), help);
        }
        return commands.isEmpty()
                ? "\"%s\" is one word too many: leave it out, or %s".formatted(word, help)
                : "there is no command %s: %s%s".formatted(word, instead(word, commands), help);
    }

    private static String instead(String word, Collection<String> known) {
        return NearestWord.of(word, known)
                .map(other -> "say %s, or ".formatted(other))
                .orElse("");
    }
}
