package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FiguresText;
import org.xfrmbridge.daemon.figures.Rates;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows counters. */
@Command(
        name = "stat",
        mixinStandardHelpOptions = true,
        description = {
            "Shows what a running bridge has counted: SAs, policies, packets, and drops under their "
                    + "/proc/net/xfrm_stat names.",
            "Anybody may ask that; of each SA and policy, root and the bridge's group."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it was shown", " 1:no bridge answers", " 2:it was asked wrongly"},
        footer = {
            "",
            "Example:",
            "  xfrm-bridge stat --json | jq .",
            "  xfrm-bridge stat --watch",
            "  xfrm-bridge stat --sas --policies"
        })
final class StatCommand implements Callable<Integer> {
    private static final int LONGEST_SECONDS = 3600;

    @Spec
    private CommandSpec spec;

    @Mixin
    private QueryOptions options;

    @Option(
            names = "--sas",
            description = "Shows each SA: the 500 that have carried most, that one first, and the others added up.")
    private boolean sas;

    @Option(
            names = "--policies",
            description = "Shows each policy: the 500 by which most packets were judged, that one first.")
    private boolean policies;

    @Option(
            names = "--watch",
            arity = "0..1",
            paramLabel = "SECONDS",
            fallbackValue = "2",
            description = "Shows it again and again, until it is ended: what has changed, by how much a second. With "
                    + "--json one object on a line each time. Default: every ${FALLBACK-VALUE} seconds.")
    private Integer watchSeconds;

    @Override
    public Integer call() throws IOException {
        if (watchSeconds != null && (watchSeconds < 1 || watchSeconds > LONGEST_SECONDS)) {
            throw new ParameterException(spec.commandLine(), "--watch: from 1 to " + LONGEST_SECONDS + " seconds.");
        }
        if (!sas && !policies && watchSeconds == null) {
            System.out.print(options.ask(options.json() ? "stat json" : "stat"));
            return 0;
        }
        Figures before = null;
        do {
            Figures now = options.figures();
            System.out.print(options.json() ? now.toJson() : text(before, now));
            System.out.flush();
            before = now;
        } while (watchSeconds != null && !System.out.checkError() && sleep(watchSeconds));
        return 0;
    }

    private static boolean sleep(int seconds) {
        try {
            TimeUnit.SECONDS.sleep(seconds);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private String text(Figures before, Figures now) {
        Rates rates = new Rates(before, now);
        StringBuilder text = new StringBuilder();
        if (watchSeconds != null) {
            text.append(LocalTime.now().truncatedTo(ChronoUnit.SECONDS)).append('\n');
        }
        if (!sas && !policies) {
            text.append(before == null ? "" : changed(rates, now));
        }
        if (sas) {
            text.append(FiguresText.sas(now.sas(), rates, now.epochSeconds()));
            text.append(FiguresText.otherSas(now)).append('\n');
        }
        if (policies) {
            text.append(FiguresText.policies(now.policies(), rates, now.epochSeconds()));
            text.append(FiguresText.otherPolicies(now)).append('\n');
        }
        return text.toString();
    }

    /** What has been counted since the last time. */
    private static String changed(Rates rates, Figures now) {
        StringBuilder text = new StringBuilder();
        for (String counter : now.outbound().keySet()) {
            double outbound = rates.outbound(counter);
            double inbound = rates.inbound(counter);
            if (outbound > 0 || inbound > 0) {
                text.append("%-24s %12s/s out %12s/s in%n"
                        .formatted(
                                counter.replace('_', ' '), FiguresText.number(outbound), FiguresText.number(inbound)));
            }
        }
        for (String reason : now.drops().keySet()) {
            if (rates.drops(reason) > 0) {
                text.append("%-24s %12s/s     %12d in all%n"
                        .formatted(
                                reason,
                                FiguresText.number(rates.drops(reason)),
                                now.drops().get(reason)));
            }
        }
        return text.isEmpty() ? "nothing has come\n" : text.toString();
    }
}
