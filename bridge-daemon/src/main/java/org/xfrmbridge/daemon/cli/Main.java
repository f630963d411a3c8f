package org.xfrmbridge.daemon.cli;

import java.io.File;
import java.util.Arrays;
import org.xfrmbridge.daemon.PlainLineStream;
import org.xfrmbridge.daemon.os.CurrentProcess;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.PropertiesDefaultProvider;

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
        subcommands = {
            RunCommand.class,
            ExecCommand.class,
            StatusCommand.class,
            StatCommand.class,
            DetachCommand.class,
            FirewallCommand.class,
            DemoCommand.class,
        })
public final class Main implements Runnable {
    static final String NAME = "xfrm-bridge";

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    public static void main(String[] arguments) {
        PlainLineStream.onStandardError();
        // The C library takes as long to load as a command line to parse.
        new Thread(CurrentProcess::effectiveUserId, "libc").start();
        System.exit(execute(arguments));
    }

    /** Runs a command line; returns its exit code. */
    public static int execute(String... arguments) {
        CommandLine line = line(arguments);
        line.setExecutionExceptionHandler(Main::report);
        String file = configurationFile(arguments);
        if (file != null) {
            if (!new File(file).canRead()) {
                System.err.println("xfrm-bridge: the file " + file + " cannot be read: name another one with --config");
                return 2;
            }
            line.setDefaultValueProvider(new PropertiesDefaultProvider(new File(file)));
        }
        return line.execute(
                line.getCommandName().equals(NAME) ? arguments : Arrays.copyOfRange(arguments, 1, arguments.length));
    }

    /** A bridge starts 150 ms sooner when only the command at hand is read, not all of them. */
    private static CommandLine line(String... arguments) {
        if (arguments.length > 0 && arguments[0].equals("run")) {
            CommandLine run = new CommandLine(new RunCommand());
            run.getCommandSpec().usageMessage().synopsisHeading("Usage: " + NAME + " ");
            return run;
        }
        return new CommandLine(new Main());
    }

    /** Known before parsing, because it holds what parsing would miss. */
    private static String configurationFile(String[] arguments) {
        for (int i = 0; i < arguments.length && !arguments[i].equals("--"); i++) {
            if (arguments[i].startsWith("--config=")) {
                return arguments[i].substring("--config=".length());
            }
            if (arguments[i].equals("--config") && i + 1 < arguments.length) {
                return arguments[i + 1];
            }
        }
        return null;
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
