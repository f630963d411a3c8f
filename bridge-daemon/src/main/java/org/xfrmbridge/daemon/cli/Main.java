package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.xfrmbridge.daemon.PlainLineStream;
import org.xfrmbridge.daemon.os.CurrentProcess;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * {@code xfrm-bridge}: exit code 0 for success, 1 if it could not be done, 2 if it was asked wrongly, 3 of
 * {@code status} if no bridge runs.
 */
@Command(
        name = Main.NAME,
        description = "The Linux XFRM (IPsec databases and ESP) in user space, for unmodified IKE daemons.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it was done", " 1:it could not be done", " 2:it was asked wrongly"},
        footer = {
            "",
            "First steps, as root; each command has --help:",
            "  xfrm-bridge doctor                    what this host has and lacks",
            "  xfrm-bridge run &                     says \"ready\" when it is",
            "  xfrm-bridge exec -- charon-systemd    an IKE daemon, or: ip xfrm state",
            "  xfrm-bridge status                    whether all is as it should be"
        },
        subcommands = {
            RunCommand.class,
            ExecCommand.class,
            StatusCommand.class,
            StatCommand.class,
            TopCommand.class,
            DropsCommand.class,
            WhyCommand.class,
            TraceCommand.class,
            CaptureCommand.class,
            DoctorCommand.class,
            DetachCommand.class,
            FirewallCommand.class,
            EnableCommand.class,
            DisableCommand.class,
            DemoCommand.class,
        })
public final class Main implements Runnable {
    static final String NAME = "xfrm-bridge";
    static final String EXIT_CODES = "%nExit code:%n";

    /** Options by which a command is explained and not done. */
    private static final Set<String> EXPLAIN = Set.of("-h", "--help", "-V", "--version");

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    public static void main(String[] arguments) {
        PlainLineStream.onStandardError();
        // The C library takes as long to load as a command line to parse.
        Thread libc = new Thread(CurrentProcess::effectiveUserId, "libc");
        libc.setUncaughtExceptionHandler((thread, reason) -> {});
        libc.start();
        try {
            System.exit(execute(arguments));
        } catch (LinkageError e) {
            System.err.printf(
                    "xfrm-bridge: the C library cannot be reached (%s), for want of a directory to unpack a library "
                            + "to, which %s is not if mounted noexec or read-only: name another one by "
                            + "XFRM_BRIDGE_JAVA_OPTIONS=-Djava.io.tmpdir=DIR%n",
                    e.getClass().getSimpleName(), System.getProperty("java.io.tmpdir"));
            System.exit(1);
        }
    }

    /** Runs a command line; returns its exit code. */
    public static int execute(String... arguments) {
        CommandLine line = line(arguments);
        line.setExecutionExceptionHandler(Main::report);
        line.setParameterExceptionHandler(new UsageMistake());
        try {
            Path file = configurationFile(arguments);
            if (file != null) {
                line.setDefaultValueProvider(new ConfigurationFile(file, run(line)));
            }
        } catch (IOException e) {
            System.err.println("xfrm-bridge: " + e.getMessage());
            return 2;
        }
        return line.execute(
                line.getCommandName().equals(NAME) ? arguments : Arrays.copyOfRange(arguments, 1, arguments.length));
    }

    private static CommandLine.Model.CommandSpec run(CommandLine line) {
        CommandLine run = line.getSubcommands().get("run");
        return (run == null ? line : run).getCommandSpec();
    }

    /** A bridge starts 150 ms sooner when only the command at hand is read, not all of them. */
    private static CommandLine line(String... arguments) {
        if (arguments.length > 0 && arguments[0].equals("run")) {
            CommandLine run = new CommandLine(new RunCommand());
            run.getCommandSpec().usageMessage().synopsisHeading("Usage: " + NAME + " ");
            run.getCommandSpec().versionProvider(new Version());
            return run;
        }
        CommandLine all = new CommandLine(new Main());
        all.getSubcommands().values().forEach(each -> each.getCommandSpec().versionProvider(new Version()));
        return all;
    }

    /** Known before parsing, because it holds what parsing would miss. Null for none. */
    private static Path configurationFile(String[] arguments) {
        List<String> words = Arrays.asList(arguments);
        words = words.contains("--") ? words.subList(0, words.indexOf("--")) : words;
        if (!Collections.disjoint(words, EXPLAIN)) {
            return null;
        }
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).startsWith("--config=")) {
                return Path.of(words.get(i).substring("--config=".length()));
            }
            if (words.get(i).equals("--config") && i + 1 < words.size()) {
                return Path.of(words.get(i + 1));
            }
        }
        return Files.exists(ConfigurationFile.DEFAULT) ? ConfigurationFile.DEFAULT : null;
    }

    private static int report(Exception reason, CommandLine line, CommandLine.ParseResult result) {
        String message = reason.getMessage() == null ? reason.toString() : reason.getMessage();
        System.err.println("xfrm-bridge: " + message);
        if (reason instanceof RuntimeException) {
            reason.printStackTrace();
        }
        return 1;
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "Name a command.");
    }
}
