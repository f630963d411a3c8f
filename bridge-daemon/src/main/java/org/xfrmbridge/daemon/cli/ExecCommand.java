package org.xfrmbridge.daemon.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Only described here: the launcher does it without a JVM, in milliseconds. */
@Command(
        name = "exec",
        mixinStandardHelpOptions = true,
        description = {
            "Runs a command whose NETLINK_XFRM and PF_KEY sockets lead to the bridge: exec -- ip xfrm state; exec "
                    + "-- charon-systemd.",
            "The same for a systemd unit or a container: LD_PRELOAD=.../libxfrm-bridge.so and XFRM_BRIDGE_DIR=DIR."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {
            "  0:and all others: the command's own",
            "  1:there is no bridge, or the command would not speak to it",
            "  2:it was asked wrongly",
            "126:the command cannot be run",
            "127:there is no such command"
        },
        footer = {
            "",
            "Example:",
            "  xfrm-bridge exec -- charon-systemd",
            "  xfrm-bridge exec --kernel-level 6.12 -- ip xfrm state"
        })
final class ExecCommand implements Callable<Integer> {
    @Mixin
    private DirectoryOption directory;

    @Option(
            names = "--kernel-level",
            paramLabel = "RELEASE",
            description =
                    "The release that the command takes the kernel for, 6.12 for instance: daemons use what they know "
                            + "that release to have, and the bridge has it, also on an older kernel. Default: what "
                            + "the kernel says.")
    private String kernelLevel;

    @Option(
            names = "--force",
            description = "Runs a command in which the preload library has no effect, too: it speaks to the kernel's "
                    + "IPsec. Such are static and Go programs, "
                    + "those for another C library, and those that get more rights than the caller (setuid, "
                    + "setgid, file capabilities).")
    private boolean force;

    @Parameters(paramLabel = "COMMAND", arity = "1..*", description = "The command and its arguments, after \"--\".")
    private List<String> command;

    @Override
    public Integer call() {
        throw new IllegalStateException("exec is done by the xfrm-bridge script, not by this program");
    }
}
