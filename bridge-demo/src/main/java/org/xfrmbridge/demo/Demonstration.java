package org.xfrmbridge.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.LabException;

/** The steps of the demo, in the order in which they are shown. Each throws if what it shows does not hold. */
final class Demonstration {
    private static final int PINGS = 5;
    private static final String PATIENCE_SECONDS = "10";
    /** What the pings carry: sixteen bytes, which ping repeats. */
    private static final String PING_TEXT = "is this secret? ";

    private static final Pattern ANSWERED = Pattern.compile("(\\d+) packets transmitted, (\\d+) received");
    private static final Pattern TIMES = Pattern.compile("= ([0-9.]+)/[0-9.]+/([0-9.]+)/");
    private static final Pattern PROTECTED = Pattern.compile("(?m)^protected +(\\d+) +(\\d+)$");
    private static final Pattern TOO_BIG = Pattern.compile("(?m)^XfrmOutStateModeError +[1-9]");
    private static final Pattern NO_DROPS = Pattern.compile("(?m)^Xfrm\\S+ +0\n");

    private final DemoLab lab;
    private final Attachment attachment;
    private final KeySource keys;
    private final Screen screen;

    Demonstration(DemoLab lab, Attachment attachment, KeySource keys, Screen screen) {
        this.lab = lab;
        this.attachment = attachment;
        this.keys = keys;
        this.screen = screen;
    }

    void run() {
        screen.title("Two hosts talk through IPsec that the kernel knows nothing of.");
        makeHosts();
        startBridges();
        Wire wire = Wire.listen(lab, HexFormat.of().formatHex(PING_TEXT.getBytes(StandardCharsets.US_ASCII)));
        screen.step(keys.title());
        keys.install(lab, screen);
        showDatabases();
        int pings = ping();
        screen.step("What a sniffer on the wire saw meanwhile");
        wire.judge(screen, 2 * pings);
        measure();
        showCounters();
    }

    private void makeHosts() {
        screen.step("Two hosts, that is network namespaces, with a wire between them");
        lab.build();
        for (DemoHost host : lab.hosts()) {
            screen.fact(
                    host.toString(),
                    "%-17s %s on the wire, %s inside"
                            .formatted(
                                    host.gateway().host().name(),
                                    host.outer(),
                                    host.inner().getFirst()));
        }
    }

    private void startBridges() {
        screen.step("A bridge on each, "
                + (attachment == Attachment.STACK ? "in its network stack" : "between the host and the wire"));
        screen.typed(("xfrm-bridge run " + String.join(" ", attachment.options())).strip());
        long startNs = System.nanoTime();
        lab.hosts().forEach(host -> host.launchBridge(lab, attachment));
        lab.hosts().forEach(host -> host.bridge().awaitReady());
        screen.held("both are ready after %.1f s; %s"
                .formatted(
                        (System.nanoTime() - startNs) / 1e9,
                        attachment == Attachment.STACK
                                ? "addresses and routes of the hosts are as they were"
                                : attachment.device() + " stands in for " + Gateway.DEVICE + " on each host"));
    }

    private void showDatabases() {
        DemoHost host = lab.a();
        screen.step("SAs and policies on " + host);
        screen.typed("xfrm-bridge exec -- ip xfrm state");
        String states = host.bridge().run("ip", "xfrm", "state");
        screen.quote(states);
        screen.typed("xfrm-bridge exec -- ip xfrm policy list nosock");
        String policies = host.bridge().run("ip", "xfrm", "policy", "list", "nosock");
        screen.quote(policies);
        if (count(states, "proto esp") != 2 || count(policies, "dir out ") == 0 || count(policies, "dir in ") == 0) {
            throw new LabException("host A does not have two SAs and a policy for each direction");
        }
        Command.Result kernel =
                host.command("sh", "-c", "ip xfrm state && ip xfrm policy").result();
        if (kernel.succeeded() && !kernel.output().isBlank()) {
            throw new LabException("the kernel of host A has SAs or policies of its own: " + kernel.reason());
        }
        screen.held("the kernel itself, asked by the same ip xfrm without the bridge, "
                + (kernel.succeeded() ? "knows of no SA and no policy" : "has no XFRM at all"));
    }

    private static long count(String text, String part) {
        return text.lines().filter(line -> line.contains(part)).count();
    }

    /** Returns the number of requests sent. */
    private int ping() {
        screen.step("Ping through the tunnel");
        List<String> from = lab.a().inner();
        for (int family = 0; family < from.size(); family++) {
            ping(from.get(family), lab.b().inner().get(family));
        }
        return from.size() * PINGS;
    }

    private void ping(String from, String to) {
        String pattern = HexFormat.of().formatHex(PING_TEXT.getBytes(StandardCharsets.US_ASCII));
        String output = lab.a()
                .command(
                        "ping",
                        "-n",
                        "-c",
                        Integer.toString(PINGS),
                        "-i",
                        "0.2",
                        "-W",
                        PATIENCE_SECONDS,
                        "-p",
                        pattern,
                        "-I",
                        from,
                        to)
                .result()
                .output();
        Matcher answered = ANSWERED.matcher(output);
        if (!answered.find() || !answered.group(1).equals(answered.group(2))) {
            throw new LabException("host B did not answer all pings from %s to %s: %s"
                    .formatted(
                            from,
                            to,
                            answered.hasMatch() ? answered.group(2) + " of " + answered.group(1) : output.strip()));
        }
        Matcher times = TIMES.matcher(output);
        screen.held("%-14s to %-14s %s sent, %s answered%s"
                .formatted(
                        from,
                        to,
                        answered.group(1),
                        answered.group(2),
                        times.find() ? ", after %s to %s ms".formatted(times.group(1), times.group(2)) : ""));
    }

    private void measure() {
        screen.step("Throughput");
        double bitsPerSecond = Throughput.measure(lab);
        screen.held("%.2f Gbit/s in one TCP stream from A to B, by %s; both hosts share the %d cores of this machine"
                .formatted(
                        bitsPerSecond / 1e9,
                        Throughput.tool(),
                        Runtime.getRuntime().availableProcessors()));
    }

    private void showCounters() {
        DemoHost host = lab.a();
        screen.step("Counters of the bridge on " + host);
        screen.typed("xfrm-bridge stat");
        String statistics;
        try {
            statistics = ControlClient.ask(host.bridge().directory(), "stat");
        } catch (IOException e) {
            throw new LabException("the bridge on host A does not answer: " + e.getMessage());
        }
        screen.quote(NO_DROPS.matcher(statistics).replaceAll(""));
        if (TOO_BIG.matcher(statistics).find()) {
            screen.quote(
                    "XfrmOutStateModeError counts TCP's first packets: too big for the tunnel, so TCP was told the MTU,"
                            + " as a kernel does.");
        }
        Matcher counted = PROTECTED.matcher(statistics);
        if (!counted.find() || Long.parseLong(counted.group(1)) < PINGS || Long.parseLong(counted.group(2)) < PINGS) {
            throw new LabException("the bridge on host A has not counted the protected packets");
        }
    }
}
