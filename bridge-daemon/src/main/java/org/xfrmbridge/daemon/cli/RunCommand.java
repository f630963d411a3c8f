package org.xfrmbridge.daemon.cli;

import com.google.common.primitives.UnsignedInts;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.Bridge;
import org.xfrmbridge.daemon.BridgeOptions;
import org.xfrmbridge.daemon.HeapSizes;
import org.xfrmbridge.daemon.PlainLineStream;
import org.xfrmbridge.daemon.attach.AttachmentPlan;
import org.xfrmbridge.daemon.attach.DeviceNames;
import org.xfrmbridge.daemon.attach.StackPlan;
import org.xfrmbridge.daemon.attach.WirePlan;
import org.xfrmbridge.daemon.firewall.FirewallCheck;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.Descriptor;
import org.xfrmbridge.daemon.os.Group;
import org.xfrmbridge.daemon.os.NotifySocket;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.warmup.Warmup;
import org.xfrmbridge.daemon.web.ListenAddress;
import org.xfrmbridge.daemon.web.WebServer;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.km.XfrmEngine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The daemon. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = {
            "Protects this host's packets and serves clients until it is ended (Ctrl-C, SIGTERM).",
            "However it ends, also killed or by an internal error: while policies protect, nothing of "
                    + "what they mean passes until it runs again, which takes the policies up, or \"detach\" ends "
                    + "them. Ended without policies, it puts everything back as it was.",
            "SIGHUP is ignored: options are read at the start."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {
            " 0:it was ended in order",
            " 1:it could not start, or could not put everything back",
            " 2:it was asked wrongly",
            "70:an internal error, or no memory"
        },
        footer = {"", "Example:", "  xfrm-bridge run &", "  xfrm-bridge run --mark-opened 0x10 --group _iked"})
final class RunCommand implements Callable<Integer> {
    private static final int LEAST_FLOWS = 256;
    private static final int MOST_FLOWS = 1 << 22;
    private static final int MOST_ACQUIRES = 1 << 20;

    private static final int MOST_QUEUES = 4;

    /** The thread of {@link Warmup}. */
    static final String WARMUP = "warmup";

    @Spec
    private CommandSpec spec;

    @Mixin
    private DirectoryOption directory;

    @Mixin
    private ConfigurationOption configuration;

    @Option(
            names = "--attach",
            paramLabel = "IFACE",
            description =
                    "Stands in for this one interface, instead of in the host's stack: where that has no nftables "
                            + "or policy routing, and for gateways that want every frame looked at.")
    private String original;

    @Option(
            names = "--tap",
            paramLabel = "NAME",
            defaultValue = "xfrm0",
            description = "Name of the interface by which packets leave the host's stack and enter it; with --attach, "
                    + "of the one that gets the addresses and routes. Default: ${DEFAULT-VALUE}.")
    private String tap;

    @Option(
            names = "--mark-bit",
            paramLabel = "BIT",
            defaultValue = "0x40000000",
            description = "The bit of packets' marks that is the bridge's: no rule of others may use it. "
                    + "Default: ${DEFAULT-VALUE}.")
    private String markBit;

    @Option(
            names = "--mark-opened",
            paramLabel = "MARK",
            defaultValue = "0",
            description = "Bits that are set in the mark of every packet that was protected when it enters the host's "
                    + "stack, for rules of its firewall. Default: none.")
    private String openedMark;

    @Option(
            names = "--clamp-mss",
            description =
                    "Also tells TCP connections that are forwarded how much fits into their tunnel. The host's own "
                            + "know it anyway.")
    private boolean clampsMss;

    @Option(
            names = "--no-offload",
            description = "Carries one frame at a time everywhere: leaves cutting, merging and checksums of TCP and "
                    + "UDP to the kernel. For kernels and network cards with faults there; costs most of the speed.")
    private boolean withoutOffload;

    @Option(
            names = "--queues",
            paramLabel = "N",
            description = "How many threads each direction has, 1 to " + MOST_QUEUES
                    + ", each with a queue of the TAP. An SA belongs to one of them at a time. "
                    + "Default: one for two processors, " + MOST_QUEUES + " at most.")
    private Integer queues;

    @Option(
            names = "--group",
            paramLabel = "GROUP",
            description = "Members of this group may do what only root may otherwise.")
    private String group;

    @Option(
            names = "--flows",
            paramLabel = "N",
            description = "How many flows each thread of a direction remembers, " + LEAST_FLOWS + " to " + MOST_FLOWS
                    + ", rounded up to a power of two: "
                    + "their packets cost one lookup, those of others five or more. Each takes 350 to 450 bytes "
                    + "once it has had a packet. Default: " + PathContext.DEFAULT_FLOWS
                    + ", less where that is more than an eighth of the heap.")
    private Integer flows;

    @Option(
            names = "--acquires",
            paramLabel = "N",
            defaultValue = "" + XfrmEngine.DEFAULT_ACQUIRES,
            description = "How many SAs packets may wait for at a time, 1 to " + MOST_ACQUIRES
                    + ", under one policy half of them: as long as an IKE "
                    + "daemon has not answered, packets that want others are dropped. Each takes 1.1 KB. "
                    + "Default: ${DEFAULT-VALUE}.")
    private int acquires;

    @Option(
            names = "--warm-up",
            description = "Once it is ready, has requests answered for some seconds that nobody made, so that the "
                    + "first hundred thousand of a client are answered as fast as later ones. Takes 3 s of a "
                    + "processor and 150 MB.")
    private boolean warmsUp;

    @Option(
            names = "--metrics",
            paramLabel = "ADDRESS:PORT",
            description = "Shows metrics for Prometheus at http://ADDRESS:PORT/metrics, and a page for people at /: "
                    + "SAs, policies, drops and rates, no keys. Whoever reaches the address may look, so take a "
                    + "loopback one, 127.0.0.1:9477. A port alone is one of 127.0.0.1.")
    private String metrics;

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            defaultValue = "info",
            description = "What is written to the log: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private LogLevel logLevel;

    @Option(
            names = "--log-format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "Lines of the log: text, or json, an object each with time, level, message, and of an SA its "
                    + "spi. Default: ${DEFAULT-VALUE}.")
    private LogFormat logFormat;

    /** Of the log's library. */
    private enum LogLevel {
        error,
        warn,
        info,
        debug
    }

    private enum LogFormat {
        text,
        json
    }

    @Option(
            names = "--ready-fd",
            paramLabel = "N",
            description = "Also writes the line \"ready\" to this descriptor, then closes it.")
    private Integer readyDescriptor;

    @Override
    public Integer call() throws IOException {
        if (tap.isEmpty() || tap.length() > DeviceNames.MAX_TAP_NAME || tap.contains("/")) {
            throw new ParameterException(
                    spec.commandLine(), "--tap: a name has 1 to " + DeviceNames.MAX_TAP_NAME + " characters.");
        }
        // Read by the log's library when its first line is about to be made.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", logLevel.name());
        if (logFormat == LogFormat.json) {
            PlainLineStream.asJsonOnStandardError();
        }
        CurrentProcess.ignoreHangup();
        BridgeOptions options = new BridgeOptions(plan(), directory.directory(), gid(), flows(), acquires);
        requireHeap(options);
        // Before anything of the host is changed: who cannot have the address is told, and nothing else happens.
        WebServer server = metrics == null ? null : WebServer.bind(metricsAddress());
        NotifySocket service = NotifySocket.ofEnvironment();
        Bridge bridge = Bridge.start(options, service);
        if (server != null) {
            bridge.show(server);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(bridge, service), "end"));
        announce(service);
        if (warmsUp) {
            warmUp();
        }
        if (options.plan() instanceof StackPlan plan) {
            lookAtFirewall(plan.names().tap());
        }
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    private InetSocketAddress metricsAddress() {
        try {
            return ListenAddress.parse(metrics);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--metrics: " + e.getMessage() + '.');
        }
    }

    private AttachmentPlan plan() {
        int bit = mark("--mark-bit", markBit);
        int opened = mark("--mark-opened", openedMark);
        if (Integer.bitCount(bit) != 1) {
            throw new ParameterException(
                    spec.commandLine(), "--mark-bit: a number with one bit, 0x40000000 or another.");
        }
        if ((opened & bit) != 0) {
            throw new ParameterException(
                    spec.commandLine(), "--mark-opened: the bit " + markBit + " is the bridge's: see --mark-bit.");
        }
        return original == null
                ? new StackPlan(new StackNames(tap, bit), opened, clampsMss, !withoutOffload, queues())
                : new WirePlan(DeviceNames.of(original, tap), !withoutOffload, queues());
    }

    private int mark(String option, String text) {
        try {
            return UnsignedInts.decode(text);
        } catch (NumberFormatException e) {
            throw new ParameterException(spec.commandLine(), option + ": a mark is a number of 32 bits, 0x100 or 256.");
        }
    }

    /** Half of the processors are the host's own: for who sends and receives what passes here. */
    private int queues() {
        if (queues != null && (queues < 1 || queues > MOST_QUEUES)) {
            throw new ParameterException(spec.commandLine(), "--queues: from 1 to " + MOST_QUEUES + '.');
        }
        return queues == null ? Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, MOST_QUEUES) : queues;
    }

    private int flows() {
        if (flows != null && (flows < LEAST_FLOWS || flows > MOST_FLOWS)) {
            throw new ParameterException(
                    spec.commandLine(), "--flows: from " + LEAST_FLOWS + " to " + MOST_FLOWS + '.');
        }
        return flows == null ? HeapSizes.defaultFlows(queues()) : flows;
    }

    private void requireHeap(BridgeOptions options) {
        if (acquires < 1 || acquires > MOST_ACQUIRES) {
            throw new ParameterException(spec.commandLine(), "--acquires: from 1 to " + MOST_ACQUIRES + '.');
        }
        long heapBytes = HeapSizes.heapBytes(options.allFlows(), acquires);
        if (heapBytes > Runtime.getRuntime().maxMemory()) {
            long megabytes = 1 + (heapBytes >> 20);
            throw new ParameterException(
                    spec.commandLine(),
                    ("So many flows and acquires need a heap of %1$d MB: set XFRM_BRIDGE_JAVA_OPTIONS=-Xmx%1$dm, or "
                                    + "ask for fewer.")
                            .formatted(megabytes));
        }
    }

    /** Made when it is known how much is to be written. */
    private static Logger log() {
        return LoggerFactory.getLogger(RunCommand.class);
    }

    private static void warmUp() {
        Thread warmup = new Thread(new Warmup(new SystemClock()), WARMUP);
        warmup.setDaemon(true);
        warmup.start();
    }

    private static void lookAtFirewall(String tap) {
        Thread look = new Thread(() -> warnOfFirewall(tap), "firewall");
        look.setDaemon(true);
        look.start();
    }

    private static void warnOfFirewall(String tap) {
        try {
            FirewallCheck.summary(FirewallCheck.findings(tap)).ifPresent(log()::warn);
        } catch (IOException e) {
            log().debug("the firewall's rules could not be looked at: {}", e.getMessage());
        }
    }

    /** Halts, as a JVM that a signal ends has the exit code of the signal, whatever its hooks have done well. */
    private static void end(Bridge bridge, NotifySocket service) {
        int exitCode = 0;
        try {
            service.send("STOPPING=1");
            bridge.close();
        } catch (IOException | RuntimeException e) {
            log().error("not everything could be restored, try \"xfrm-bridge detach\": {}", e.getMessage());
            exitCode = 1;
        } finally {
            Runtime.getRuntime().halt(exitCode);
        }
    }

    private void announce(NotifySocket service) throws IOException {
        System.out.println("ready");
        System.out.flush();
        service.send("READY=1");
        if (readyDescriptor != null) {
            try (Descriptor descriptor = Descriptor.inherited(readyDescriptor)) {
                descriptor.write("ready\n".getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    private int gid() throws IOException {
        if (group == null) {
            return -1;
        }
        if (group.matches("[0-9]{1,9}")) {
            return Integer.parseInt(group);
        }
        return Group.numberOf(group)
                .orElseThrow(
                        () -> new ParameterException(spec.commandLine(), "--group: there is no group " + group + "."));
    }
}
