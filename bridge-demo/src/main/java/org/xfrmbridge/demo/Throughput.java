package org.xfrmbridge.demo;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.LabException;

/** One TCP stream through the tunnel, from host A to host B. */
final class Throughput {
    private static final int SECONDS = 3;
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration END_LIMIT = Duration.ofSeconds(30);
    private static final String PROGRAM = BridgeProcess.program().toString();
    private static final String PORT = "5201";
    private static final Pattern RECEIVED = Pattern.compile("sum_received\"[^}]*?\"bits_per_second\":\\s*([0-9.e+]+)");
    private static final Pattern PROBED = Pattern.compile("\"bits_per_second\": ([0-9]+)");

    private Throughput() {}

    static String tool() {
        return Machine.has("iperf3") ? "iperf3" : "xfrm-bridge's own probe";
    }

    /** Bits per second that arrived. */
    static double measure(DemoLab lab) {
        return Machine.has("iperf3") ? measureWithIperf(lab) : measureWithProbe(lab);
    }

    private static double measureWithIperf(DemoLab lab) {
        DemoHost receiver = lab.b();
        Daemon server = lab.start(
                "iperf3 on " + receiver,
                "iperf3.log",
                receiver.command(
                        "iperf3",
                        "--server",
                        "--one-off",
                        "--forceflush",
                        "--bind",
                        receiver.inner().getFirst(),
                        "--port",
                        PORT));
        server.awaitOutput("Server listening", START_LIMIT);
        String report = lab.a()
                .command(
                        "iperf3",
                        "--client",
                        receiver.inner().getFirst(),
                        "--bind",
                        lab.a().inner().getFirst(),
                        "--port",
                        PORT,
                        "--time",
                        Integer.toString(SECONDS),
                        "--json")
                .run();
        return number(RECEIVED, report);
    }

    private static double measureWithProbe(DemoLab lab) {
        DemoHost receiver = lab.b();
        Daemon server = lab.start(
                "the probe on " + receiver,
                "probe.log",
                receiver.command(PROGRAM, "demo", "probe", receiver.inner().getFirst(), PORT));
        server.awaitOutput(ProbeCommand.LISTENING, START_LIMIT);
        lab.a()
                .command(
                        PROGRAM,
                        "demo",
                        "probe",
                        receiver.inner().getFirst(),
                        PORT,
                        "--send",
                        Integer.toString(SECONDS))
                .run();
        return number(PROBED, server.finish(END_LIMIT));
    }

    private static double number(Pattern pattern, String report) {
        Matcher matcher = pattern.matcher(report);
        if (!matcher.find()) {
            throw new LabException("the throughput could not be measured: " + tool() + " gave no result");
        }
        return Double.parseDouble(matcher.group(1));
    }
}
