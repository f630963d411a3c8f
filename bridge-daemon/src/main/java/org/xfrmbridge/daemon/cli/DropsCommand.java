package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.time.ZoneId;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.packets.PacketAnswers;
import org.xfrmbridge.daemon.packets.PacketText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows the latest drops. */
@Command(
        name = "drops",
        mixinStandardHelpOptions = true,
        description = {
            "Shows the last 1,000 packets that were dropped, those of one reason, policy and SPI together: why, in one "
                    + "sentence with names and numbers, and what to look at. Of more than 1,000 in a second the "
                    + "rest is counted only.",
            "For root and the bridge's group."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:they were shown", " 1:no bridge answers", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge drops --json | jq '.kinds[].latest.sentence'"})
final class DropsCommand implements Callable<Integer> {
    @Mixin
    private QueryOptions options;

    @Override
    public Integer call() throws IOException {
        String answer = options.askAsPrivileged("drops");
        System.out.print(
                options.json() ? answer : new PacketText(ZoneId.systemDefault()).add(PacketAnswers.drops(answer)));
        return 0;
    }
}
