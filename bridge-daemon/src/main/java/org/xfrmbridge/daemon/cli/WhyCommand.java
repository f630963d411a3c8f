package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.packets.PacketAnswers;
import org.xfrmbridge.daemon.packets.PacketText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what would become of a packet. */
@Command(
        name = "why",
        mixinStandardHelpOptions = true,
        description = {
            "Says what would become of such a packet now, without one: which policy is for it and why not the one "
                    + "before that, which SA each template finds or lacks, and what to look at. Inbound (dir in, fwd) "
                    + "it says that of a packet in the clear, and by which SAs it may come instead.",
            "For root and the bridge's group. Nothing is changed, and no IKE daemon is asked."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {
            " 0:it would pass or be protected",
            " 1:no bridge answers",
            " 2:it was asked wrongly",
            " 4:it would be dropped"
        },
        footer = {
            "",
            "Example:",
            "  xfrm-bridge why 10.1.0.1 10.2.0.1 proto tcp dport 443",
            "  xfrm-bridge why 10.2.0.1 10.1.0.1 proto icmp dir in mark 0x5"
        })
final class WhyCommand implements Callable<Integer> {
    private static final int DROPPED = 4;

    @Spec
    private CommandSpec spec;

    @Mixin
    private QueryOptions options;

    @Parameters(
            arity = "0..*",
            paramLabel = "SRC DST [proto P] [sport N] [dport N] [mark M] [dev DEVICE] [dir out|in|fwd]",
            hideParamSyntax = true,
            description = "The packet, in the words of ip xfrm. For ICMP sport and dport are type and code.")
    private List<String> words = List.of();

    @Override
    public Integer call() throws IOException {
        String question;
        try {
            question = PacketAnswers.questionOf(words);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage() + '.');
        }
        String answer = options.askAsPrivileged(question);
        var report = PacketAnswers.why(answer);
        System.out.print(options.json() ? answer : new PacketText(ZoneId.systemDefault()).add(report));
        return report.verdict().equals("dropped") ? DROPPED : 0;
    }
}
