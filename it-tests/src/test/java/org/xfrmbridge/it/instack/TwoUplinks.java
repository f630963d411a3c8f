package org.xfrmbridge.it.instack;

import java.time.Duration;
import java.util.List;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Two hosts with a bridge in the stack of each, a tunnel with fixed keys between their inner addresses of both
 * families, and two wires with a sniffer on each.
 *
 * <pre>
 *   left eth0 192.0.2.1    === first wire  === eth0 192.0.2.2    right
 *        eth1 198.51.100.1 === second wire === eth1 198.51.100.2
 * </pre>
 */
final class TwoUplinks implements AutoCloseable {
    static final String SECOND_DEVICE = "eth1";
    static final String SECOND_LEFT = "198.51.100.1";
    static final String SECOND_RIGHT = "198.51.100.2";
    static final String INNER_LEFT = "10.1.0.1";
    static final String INNER_RIGHT = "10.2.0.1";

    private static final Duration SOON = Duration.ofSeconds(60);
    /** So many that those of another wire, which were under way, are none of them. */
    private static final int STREAM_FRAMES = 100;

    private static final String KEYS = """
            for way in '192.0.2.1 192.0.2.2 0x1001' '192.0.2.2 192.0.2.1 0x1002'; do
                set -- $way
                ip xfrm state add src $1 dst $2 proto esp spi $3 mode tunnel flag af-unspec \
                    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
            done
            """;
    private static final String POLICIES = """
            for inner in '%1$s/32 %2$s/32' '%3$s/128 %4$s/128'; do
                set -- $inner
                ip xfrm policy add src $1 dst $2 dir out tmpl src %5$s dst %6$s proto esp mode tunnel
                for dir in in fwd; do
                    ip xfrm policy add src $2 dst $1 dir $dir tmpl src %6$s dst %5$s proto esp mode tunnel
                done
            done
            """;

    private final BridgedPair hosts;
    private final Namespace secondWire;
    private final Sniffer secondSniffer;

    static TwoUplinks start(String name) {
        BridgedPair hosts = BridgedPair.start(name, Topology::direct);
        try {
            return new TwoUplinks(hosts);
        } catch (RuntimeException | AssertionError e) {
            BridgedPair.abandon(hosts, e);
            throw e;
        }
    }

    private TwoUplinks(BridgedPair hosts) {
        this.hosts = hosts;
        secondWire = joinSecond();
        secondSniffer = Sniffer.start(hosts.scene(), secondWire, "second");
        for (Side side : Side.values()) {
            Gateway here = hosts.topology().site(side);
            Gateway there = hosts.topology().site(side.other());
            for (Family family : here.inner().families()) {
                here.routeTo(there, family);
            }
            String policies = POLICIES.formatted(
                    here.inner().v4(),
                    there.inner().v4(),
                    here.inner().v6(),
                    there.inner().v6(),
                    here.outer().v4(),
                    there.outer().v4());
            hosts.bridge(side).run("sh", "-ec", KEYS + policies);
        }
    }

    private Namespace joinSecond() {
        Namespace wire = new Namespace(hosts.scene(), "second-wire");
        wire.sysctl("ipv6.conf.all.disable_ipv6", 1);
        Namespace.connect(left(), SECOND_DEVICE, wire, "first");
        Namespace.connect(right(), SECOND_DEVICE, wire, "second");
        bridge(wire, "first", "second");
        left().address(SECOND_DEVICE, SECOND_LEFT + "/24");
        right().address(SECOND_DEVICE, SECOND_RIGHT + "/24");
        for (Namespace host : List.of(left(), right())) {
            // An address of one wire is used on the other.
            host.sysctl("ipv4.conf.all.rp_filter", 0);
            host.sysctl("ipv4.conf." + SECOND_DEVICE + ".rp_filter", 0);
            // Or a host would be reached by the wrong wire as well.
            host.sysctl("ipv4.conf.all.arp_ignore", 1);
        }
        return wire;
    }

    private static void bridge(Namespace wire, String... ports) {
        wire.ip("link", "add", "switch", "type", "bridge");
        wire.ip("link", "set", "switch", "up");
        for (String port : ports) {
            wire.ip("link", "set", port, "master", "switch");
        }
    }

    BridgedPair hosts() {
        return hosts;
    }

    Namespace left() {
        return hosts.topology().left().host();
    }

    Namespace right() {
        return hosts.topology().right().host();
    }

    Namespace firstWire() {
        return hosts.topology().wire();
    }

    Namespace secondWire() {
        return secondWire;
    }

    /** {@code ip ARGUMENTS} on the left host. */
    String ip(String arguments) {
        return left().ip(arguments.split(" "));
    }

    Ping ping(Family inner) {
        return Ping.inner(hosts.topology(), Side.LEFT, inner);
    }

    /** Pings, and throws unless all were answered, and left by this wire and no other, as ESP. */
    void assertLeavesBy(boolean second) {
        int[] before = {hosts.sniffer().espFrames(), secondSniffer.espFrames()};
        Ping.Score score = ping(Family.IPV4).send();
        score.assertComplete();
        int onFirst = hosts.sniffer().espFrames() - before[0];
        int onSecond = secondSniffer.espFrames() - before[1];
        // Answers always come by the first.
        int expectedOnFirst = second ? score.sent() : 2 * score.sent();
        if (onFirst != expectedOnFirst || onFirst + onSecond != 2 * score.sent()) {
            throw new AssertionError(
                    score.sent() + " requests and answers, ESP on the wires: " + onFirst + " and " + onSecond);
        }
        assertNothingClear();
    }

    /**
     * Waits until what a stream to the right sends leaves by this wire, as ESP. Throws if any of it is in the clear.
     */
    void awaitStreamBy(boolean second) {
        Sniffer sniffer = second ? secondSniffer : hosts.sniffer();
        int before = sent(sniffer);
        Await.until("ESP of the stream by the right wire", SOON, () -> sent(sniffer) >= before + STREAM_FRAMES);
        assertNothingClear();
    }

    private static int sent(Sniffer sniffer) {
        return sniffer.packets("ip proto 50 and ip[20:4] = 0x1001 and greater 1000")
                .size();
    }

    void assertNothingClear() {
        hosts.sniffer().assertNothingClear();
        secondSniffer.assertNothingClear();
    }

    /** Gives the left host its address on the first wire, for two minutes, to be renewed after some seconds. */
    Daemon startDhcpServer() {
        Scene scene = hosts.scene();
        Command command = right().command(
                        "dnsmasq",
                        "--conf-file=/dev/null",
                        "--no-daemon",
                        "--no-ping",
                        "--port=0",
                        "--user=root",
                        "--interface=eth0",
                        "--bind-interfaces",
                        "--dhcp-authoritative",
                        "--dhcp-range=192.0.2.1,192.0.2.1,2m",
                        "--dhcp-host=*:*:*:*:*:*,id:*,192.0.2.1",
                        "--dhcp-option=option:T1,3",
                        "--dhcp-leasefile=" + scene.file(scene.uniqueName()));
        return scene.own(right().start("dnsmasq", scene.file("dnsmasq.log"), command));
    }

    /** Gives the left host a new first device, as a cable plugged in anew, with its address and routes. */
    void plugFirst() {
        Namespace.connect(left(), Gateway.DEVICE, firstWire(), Topology.LEFT_PORT);
        firstWire().ip("link", "set", Topology.LEFT_PORT, "master", "switch");
        addressFirst(Gateway.DEVICE);
    }

    /** Gives a device of the left host the address of the first wire, and the routes by it. */
    void addressFirst(String device) {
        left().address(device, "192.0.2.1/24");
        left().address(device, "2001:db8:7::1/64");
        Gateway left = hosts.topology().left();
        for (Family family : left.inner().families()) {
            left.routeTo(hosts.topology().right(), family);
        }
    }

    @Override
    public void close() {
        hosts.close();
    }
}
