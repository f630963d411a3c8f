package org.xfrmbridge.it.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: what a tunnel's outer header says of traffic classes and congestion follows flags of both ends' SAs. Topology: a
 * host with a bridge, and a user-mode-linux guest, on one link. Steps: tunnels with these flags; pings of several TOS,
 * IPv4 and IPv6, from the guest, and then the same from the host with the flags exchanged. Expected: the outer TOS of
 * requests and answers are the same, whoever asks.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.UML, Requirement.TCPDUMP})
class TosScenario {
    private static final Duration LIMIT = Duration.ofSeconds(180);
    /** Flags of the asking end's outbound SA, and of the answering end's copy of it. */
    private static final String[][] FLAGS = {
        {"", ""},
        {"noecn", "noecn"},
        {"noecn", ""},
        {"", "decap-dscp"},
        {"extra-flag dont-encap-dscp", ""},
        {"extra-flag dont-encap-dscp", "decap-dscp"}
    };

    private static final String[] TOS = {"0x0", "0x1", "0x2", "0x3", "0xb8", "0xbb"};
    private static final int FIRST = 10;
    private static final int TO_GUEST = 0x1000;
    private static final int TO_HOST = 0x2000;
    private static final Pattern ESP = Pattern.compile("tos (0x[0-9a-f]+),[^\\n]*proto ESP[^\\n]*\\n\\s+\\S+ > \\S+ "
            + "ESP\\(spi=0x0000([0-9a-f]{4}),seq=(0x[0-9a-f]+)\\)");

    @ParameterizedTest
    @EnumSource
    void shouldSayTheSameOutsideAsKernelWhenFlagsAreTheSame(Attachment attachment) {
        try (Scene scene = new Scene("tos-" + attachment)) {
            Namespace wire = new Namespace(scene, "wire");
            Namespace host = new Namespace(scene, "host");
            KernelScenario.join(wire, host);
            Daemon tcpdump = scene.own(wire.start(
                    "tcpdump",
                    scene.file("tcpdump.log"),
                    wire.command("tcpdump", "-n", "-l", "-v", "--immediate-mode", "-Z", "root", "-i", "guest", "esp")));
            tcpdump.awaitOutput("listening on", LIMIT);
            BridgeProcess bridge = BridgeProcess.start(scene, host, attachment);
            bridge.run("sh", "-ec", databases("1", "2", 0));
            UmlGuest guest = UmlGuest.boot(
                    scene,
                    KernelScenario.GUEST_NETWORK + databases("2", "1", 1) + pings("2", "1", 0)
                            + "echo ready\nwhile [ ! -e /mnt/stop ]; do sleep 0.2; done\n",
                    wire,
                    "guest");
            guest.awaitOutput("ready", LIMIT);
            host.command("sh", "-ec", pings("1", "2", 1)).within(LIMIT).run();
            KernelScenario.stop(guest);
            guest.finish(LIMIT);

            Map<Integer, List<String>> seen = outerTos(tcpdump.interrupt());
            for (int i = 0; i < FLAGS.length; i++) {
                int guestAsks = number(i, 0);
                int hostAsks = number(i, 1);
                String flags = String.join(" / ", FLAGS[i]);
                assertEquals(2 * TOS.length, seen.get(TO_HOST + guestAsks).size(), flags);
                assertEquals(seen.get(TO_HOST + guestAsks), seen.get(TO_GUEST + hostAsks), "requests, " + flags);
                assertEquals(seen.get(TO_HOST + hostAsks), seen.get(TO_GUEST + guestAsks), "answers, " + flags);
            }
        }
    }

    /** The number of a pair of inner addresses and its SAs; the host asks on every second one. */
    private static int number(int flags, int asker) {
        return FIRST + 2 * flags + asker;
    }

    /** All of one end. @param end 0 for the host, 1 for the guest */
    private static String databases(String near, String far, int end) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < FLAGS.length; i++) {
            for (int asker = 0; asker <= 1; asker++) {
                int n = number(i, asker);
                // The guest asks on the even ones: then the SA to the host has the flags.
                text.append(state("1", "2", TO_GUEST + n, n, asker == 1 ? FLAGS[i][end] : ""));
                text.append(state("2", "1", TO_HOST + n, n, asker == 0 ? FLAGS[i][1 - end] : ""));
                text.append(inner(near, far, n, "10.%s.0.%d", "32")).append(inner(near, far, n, "fd0%s::%d", "128"));
            }
        }
        return text.toString();
    }

    private static String state(String from, String to, int spi, int reqid, String flags) {
        return "ip xfrm state add src 192.0.2." + from + " dst 192.0.2." + to + " proto esp spi " + spi + " reqid "
                + reqid
                + " mode tunnel replay-window 32 flag af-unspec " + flags
                + " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128\n";
    }

    /** An inner address, the way to its peer, and the policies between them. */
    private static String inner(String near, String far, int n, String form, String bits) {
        String here = form.formatted(near, n);
        String there = form.formatted(far, n);
        String gateway = bits.equals("32") ? "192.0.2." + far : "2001:db8:7::" + far;
        return "ip address add " + here + "/" + bits + " dev lo" + (bits.equals("128") ? " nodad" : "") + "\n"
                + "ip route add " + there + " via " + gateway + " src " + here + "\n"
                + policy(here, there, " dir out", near, far, n)
                + policy(there, here, " dir in", far, near, n);
    }

    private static String policy(String from, String to, String direction, String near, String far, int reqid) {
        return "ip xfrm policy add src " + from + " dst " + to + direction + " tmpl src 192.0.2." + near
                + " dst 192.0.2." + far + " proto esp reqid " + reqid + " mode tunnel\n";
    }

    private static String pings(String near, String far, int asker) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < FLAGS.length; i++) {
            int n = number(i, asker);
            for (String tos : TOS) {
                text.append("ping -n -q -c 1 -W 5 -Q %s -I 10.%s.0.%d 10.%s.0.%d\n".formatted(tos, near, n, far, n));
                text.append("ping -n -q -c 1 -W 5 -Q %s -I fd0%s::%d fd0%s::%d\n".formatted(tos, near, n, far, n));
            }
        }
        return text.toString();
    }

    /** By SPI, in the order of sequence numbers. */
    private static Map<Integer, List<String>> outerTos(String tcpdump) {
        Map<Integer, List<String>> seen = new TreeMap<>();
        for (MatchResult packet : ESP.matcher(tcpdump).results().toList()) {
            seen.computeIfAbsent(Integer.parseInt(packet.group(2), 16), spi -> new ArrayList<>())
                    .add(packet.group(3) + " " + packet.group(1));
        }
        return seen;
    }
}
