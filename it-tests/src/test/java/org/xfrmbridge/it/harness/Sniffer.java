package org.xfrmbridge.it.harness;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;

/**
 * tcpdump on one device of the wire for a whole scenario. Closing it fails if one packet was seen in the clear:
 * anything but ESP, AH, IKE, neighbour discovery, DHCP, multicast listeners and ICMP errors about those.
 */
public final class Sniffer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration SETTLING = Duration.ofMillis(150);
    private static final Pattern DROPPED = Pattern.compile("(\\d+) packets? dropped by kernel");

    private final Path pcap;
    private final Daemon tcpdump;
    private boolean judged;

    public static Sniffer start(Scene scene, Namespace wire, String device) {
        Path pcap = scene.file("wire-" + device + ".pcap");
        // 200 bytes hold every header looked at; -Z root: the directory is ours alone
        Command command = wire.command(
                "tcpdump",
                "-n",
                "-U",
                "--immediate-mode",
                "-Z",
                "root",
                "-s",
                "200",
                "-B",
                "16384",
                "-i",
                device,
                "-w",
                pcap.toString());
        Sniffer sniffer = new Sniffer(pcap, wire.start("tcpdump", scene.file("wire-" + device + ".log"), command));
        scene.own(sniffer);
        sniffer.tcpdump.awaitOutput("listening on", PATIENCE);
        return sniffer;
    }

    private Sniffer(Path pcap, Daemon tcpdump) {
        this.pcap = pcap;
        this.tcpdump = tcpdump;
    }

    /** Frames with ESP seen so far, over IP and over UDP. */
    public int espFrames() {
        Capture capture = settled();
        return capture.count(Frame.Kind.ESP) + capture.count(Frame.Kind.ESP_IN_UDP);
    }

    public int ahFrames() {
        return settled().count(Frame.Kind.AH);
    }

    public int udpEncapsulatedFrames() {
        return settled().count(Frame.Kind.ESP_IN_UDP);
    }

    /** Frames seen so far that should have been protected: for scenarios that prove the sniffer itself. */
    public int clearFrames() {
        return settled().count(Frame.Kind.CLEAR);
    }

    /** The packets seen so far that a filter takes, a line for each: by tcpdump without times and guesses by ports. */
    public List<String> packets(String filter) {
        return Command.of("tcpdump", "-n", "-t", "-q", "-r", pcap().toString(), filter)
                .run()
                .lines()
                .filter(line -> !line.startsWith("reading from file"))
                .toList();
    }

    /** The file, complete up to now; of long frames it holds the beginning. */
    public Path pcap() {
        settled();
        return pcap;
    }

    /** Throws if a packet in the clear was seen so far. */
    public void assertNothingClear() {
        ClearPackets.assertNone(settled().clear());
    }

    /** What the file holds once tcpdump had the time to write what passed before this call. */
    private Capture settled() {
        if (tcpdump.isAlive()) {
            Await.pause(SETTLING);
            Await.until("tcpdump to write what it has seen", PATIENCE, tcpdump::isAsleep);
        }
        return Capture.read(pcap);
    }

    /** Ends the capture without a judgement. */
    public void dismiss() {
        judged = true;
    }

    @Override
    public void close() {
        tcpdump.terminate();
        if (judged) {
            return;
        }
        assertNothingClear();
        Matcher dropped = DROPPED.matcher(tcpdump.output());
        if (!dropped.find() || !"0".equals(dropped.group(1))) {
            throw new AssertionError("the sniffer missed packets\n" + tcpdump.output());
        }
    }
}
