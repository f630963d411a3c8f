package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.daemon.os.SilentBridgeException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows counters. */
@Command(
        name = "stat",
        mixinStandardHelpOptions = true,
        description = "Shows what a running bridge has counted: SAs, policies, packets, and drops under their "
                + "/proc/net/xfrm_stat names.",
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it was shown", " 1:no bridge answers", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge stat --json | jq ."})
final class StatCommand implements Callable<Integer> {
    @Mixin
    private QueryOptions options;

    @Override
    public Integer call() throws IOException {
        String answer;
        try {
            answer = ControlClient.ask(options.directory(), options.json() ? "stat json" : "stat");
        } catch (SilentBridgeException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(
                    "no bridge answers in %s: start one with \"xfrm-bridge run\", or name its directory with --dir"
                            .formatted(options.directory()),
                    e);
        }
        if (answer.isEmpty() || answer.startsWith("errno ")) {
            throw new IOException(
                    "the bridge in %s is too busy to say what it has counted: ask again, as root if you can"
                            .formatted(options.directory()));
        }
        System.out.print(answer);
        return 0;
    }
}
