package org.xfrmbridge.daemon.demo;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One TCP stream through the tunnel, from host A to host B. */
final class Throughput {
    private static final int SECONDS = 3;
    private static final int START_SECONDS = 30;
    private static final int END_SECONDS = 15;
    private static final String PORT = "5201";
    private static final Pattern RECEIVED = Pattern.compile("sum_received\"[^}]*?\"bits_per_second\":\\s*([0-9.e+]+)");
    private static final Pattern PROBED = Pattern.compile("\"bits_per_second\": ([0-9]+)");

    private Throughput() {}

    static String tool() {
        return Machine.has("iperf3") ? "iperf3" : "xfrm-bridge's own probe";
    }

    /** Bits per second that arrived. */
    static double measure(Lab lab) throws DemoException, InterruptedException {
        return Machine.has("iperf3") ? measureWithIperf(lab) : measureWithProbe(lab);
    }

    private static double measureWithIperf(Lab lab) throws DemoException, InterruptedException {
        Host receiver = lab.b();
        Child server = lab.start(
                "iperf3 on " + receiver,
                "iperf3.log",
                receiver.command(
                        "iperf3",
                        "--server",
                        "--one-off",
                        "--forceflush",
                        "--bind",
                        receiver.inner4(),
                        "--port",
                        PORT));
        server.awaitLine("Server listening", START_SECONDS);
        String report = lab.a()
                .command(
                        "iperf3",
                        "--client",
                        receiver.inner4(),
                        "--bind",
                        lab.a().inner4(),
                        "--port",
                        PORT,
                        "--time",
                        Integer.toString(SECONDS),
                        "--json")
                .run();
        return number(RECEIVED, report);
    }

    private static double measureWithProbe(Lab lab) throws DemoException, InterruptedException {
        Host receiver = lab.b();
        Child server = lab.start(
                "the probe on " + receiver,
                "probe.log",
                receiver.bridgeCommand("demo", "probe", receiver.inner4(), PORT));
        server.awaitLine(ProbeCommand.LISTENING, START_SECONDS);
        lab.a()
                .bridgeCommand("demo", "probe", receiver.inner4(), PORT, "--send", Integer.toString(SECONDS))
                .run();
        server.finish(END_SECONDS);
        return number(PROBED, server.output());
    }

    private static double number(Pattern pattern, String report) throws DemoException {
        Matcher matcher = pattern.matcher(report);
        if (!matcher.find()) {
            throw new DemoException("the throughput could not be measured: " + tool() + " gave no result");
        }
        return Double.parseDouble(matcher.group(1));
    }
}
