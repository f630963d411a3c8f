package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.xfrmbridge.daemon.packets.PacketAnswers;
import org.xfrmbridge.daemon.packets.PacketText;
import org.xfrmbridge.daemon.packets.TraceBatch;
import org.xfrmbridge.explain.PacketReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows packets as they are handled. */
@Command(
        name = "trace",
        mixinStandardHelpOptions = true,
        description = {
            "Shows packets as the bridge handles them, out and in, until it is ended: what was read, which policy is "
                    + "for it and why not the one before that, which SAs it goes through or lacks, numbers, windows "
                    + "and limits, and what becomes of it: in one sentence, and what to look at.",
            "FILTER is in the words of tcpdump and ip xfrm: src, dst, host, net, port, sport, dport, proto, tcp, udp, "
                    + "icmp, esp, ip, ip6, spi, reqid, policy, mark, dir, in, out, fwd, drop, a name of xfrm_stat, "
                    + "joined by and, or, not and parentheses. Addresses may be those of the packet or of its SAs.",
            "Packets do not wait for a trace: it loses what it cannot show, and says how many that were. For root and "
                    + "the bridge's group."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it was shown", " 1:no bridge answers", " 2:it was asked wrongly"},
        footer = {
            "",
            "Example:",
            "  xfrm-bridge trace --drops",
            "  xfrm-bridge trace src 10.1.0.0/16 and proto tcp and port 443",
            "  xfrm-bridge trace --count 1 --json spi 0xc1a2b3c4"
        })
final class TraceCommand implements Callable<Integer> {
    private static final long BUSY_MS = 20;
    private static final long IDLE_MS = 100;

    @Spec
    private CommandSpec spec;

    @Mixin
    private QueryOptions options;

    @Option(names = "--drops", description = "Shows those that are dropped, and no others.")
    private boolean drops;

    @Option(names = "--count", paramLabel = "N", description = "Ends after so many packets.")
    private long count = Long.MAX_VALUE;

    @Parameters(arity = "0..*", paramLabel = "FILTER", description = "Which packets. Default: all.")
    private List<String> filter = List.of();

    @Override
    public Integer call() throws Exception {
        String question;
        try {
            question = PacketAnswers.traceOf(drops, filter);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage() + '.');
        }
        int id = PacketAnswers.opened(options.askAsPrivileged(question));
        System.err.println("xfrm-bridge: watching packets until Ctrl-C");
        Thread end = new Thread(() -> close(id));
        Runtime.getRuntime().addShutdownHook(end);
        show(id);
        Runtime.getRuntime().removeShutdownHook(end);
        close(id);
        return 0;
    }

    private void show(int id) throws IOException, InterruptedException {
        LostPackets lost = new LostPackets("shown");
        long left = count;
        while (left > 0 && !System.out.checkError()) {
            TraceBatch batch = PacketAnswers.batch(options.askAsPrivileged("trace next " + id));
            for (PacketReport packet : batch.packets()) {
                if (left > 0) {
                    show(packet);
                    left--;
                }
            }
            lost.add(batch.lost());
            TimeUnit.MILLISECONDS.sleep(batch.packets().isEmpty() ? IDLE_MS : BUSY_MS);
        }
        lost.say();
    }

    private void show(PacketReport packet) {
        System.out.println(
                options.json() ? PacketAnswers.toJsonLine(packet) : new PacketText(ZoneId.systemDefault()).add(packet));
        System.out.flush();
    }

    /** A bridge that has ended has no trace any more. */
    private void close(int id) {
        try {
            options.askAsPrivileged("trace close " + id);
        } catch (IOException e) {
            System.err.println("xfrm-bridge: " + e.getMessage());
        }
    }
}
