package org.xfrmbridge.it.instack;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Namespace;

/**
 * A host that two wires join with a peer, and a client behind it. On every wire is a sniffer at the other end.
 *
 * <pre>
 *   client eth0 --- lan  host  eth0 --- one  peer
 *                              eth1 --- two
 * </pre>
 */
final class TwoWires {
    private static final List<String> WIRES = List.of("one", "two");
    /** What the host sends, but what keeps IPv6 and ICMP alive. */
    private static final String OF_THE_HOST = "(src host 192.0.2.1 or src host 192.0.2.5 or src host 203.0.113.1"
            + " or src host 2001:db8:1::1 or src host 2001:db8:2::1) and not arp and not icmp and not icmp6";

    private final Namespace host;
    private final Namespace peer;
    private final Namespace client;
    private final Map<String, Sniffer> sniffers = new TreeMap<>();

    static TwoWires start(Scene scene) {
        TwoWires wires = new TwoWires(scene);
        wires.joinHost();
        wires.sniff(scene);
        return wires;
    }

    /** The host is to be a guest, whose devices are the TAPs {@code one} and {@code two} of the peer. */
    static TwoWires startForGuest(Scene scene) {
        TwoWires wires = new TwoWires(scene);
        for (String wire : WIRES) {
            wires.peer.ip("tuntap", "add", "dev", wire, "mode", "tap");
        }
        Namespace.connect(wires.host, "lan", wires.client, "eth0");
        wires.sniff(scene);
        return wires;
    }

    private TwoWires(Scene scene) {
        host = new Namespace(scene, "host");
        peer = new Namespace(scene, "peer");
        client = new Namespace(scene, "client");
        for (Namespace namespace : List.of(host, peer, client)) {
            namespace.sysctl("ipv4.conf.all.rp_filter", 0);
            namespace.sysctl("ipv4.conf.default.rp_filter", 0);
        }
    }

    private void joinHost() {
        Namespace.connect(host, "eth0", peer, "one");
        Namespace.connect(host, "eth1", peer, "two");
        Namespace.connect(host, "lan", client, "eth0");
        host.run("sh", "-ec", hostAddresses());
        host.address("lan", "10.1.0.100/24");
        host.address("lan", "2001:db8:3::100/64");
        host.forwarding();
        client.address("eth0", "10.1.0.1/24");
        client.address("eth0", "2001:db8:3::1/64");
        client.route("default", "10.1.0.100");
        client.route("default", "2001:db8:3::100");
    }

    /** Commands that give the devices of the host what they have. */
    static String hostAddresses() {
        return """
                ip address add 192.0.2.1/24 dev eth0
                ip address add 203.0.113.1/24 dev eth1
                ip address add 2001:db8:1::1/64 dev eth0 nodad
                ip address add 2001:db8:2::1/64 dev eth1 nodad
                ip route add default via 192.0.2.2
                """;
    }

    private void sniff(Scene scene) {
        peer.ip("link", "set", "one", "up");
        peer.ip("link", "set", "two", "up");
        peer.address("one", "192.0.2.2/24");
        peer.address("two", "203.0.113.2/24");
        peer.address("one", "2001:db8:1::2/64");
        peer.address("two", "2001:db8:2::2/64");
        for (String far : List.of("10.9.0.1/32", "198.51.100.1/32", "2001:db8:9::1/128")) {
            peer.address("lo", far);
        }
        peer.run("sh", "-ec", """
                ip route add 10.1.0.0/24 via 192.0.2.1
                ip route add 10.1.0.0/24 via 203.0.113.1 metric 9
                ip route add 2001:db8:3::/64 via 2001:db8:1::1
                ip route add 2001:db8:3::/64 via 2001:db8:2::1 metric 2000
                """);
        for (String wire : WIRES) {
            sniffers.put(wire, Sniffer.start(scene, peer, wire));
        }
        sniffers.put("client", Sniffer.start(scene, client, "eth0"));
        // What is in the clear by intention is no fault here.
        sniffers.values().forEach(Sniffer::dismiss);
    }

    Namespace host() {
        return host;
    }

    Namespace peer() {
        return peer;
    }

    Namespace client() {
        return client;
    }

    /** The packets of the host on the wires, in order of their texts, each with its wire. */
    List<String> sent() {
        return packets(WIRES, OF_THE_HOST);
    }

    /** The packets that a filter of tcpdump takes, on all wires, in order of their texts, each with its wire. */
    List<String> packets(String filter) {
        return packets(List.copyOf(sniffers.keySet()), filter);
    }

    private List<String> packets(List<String> wires, String filter) {
        List<String> all = new ArrayList<>();
        for (String wire : wires) {
            for (String packet : sniffers.get(wire).packets(filter)) {
                all.add(wire + " " + packet);
            }
        }
        all.sort(null);
        return all;
    }

    /** Copies a program of these scenarios. */
    static Path program(String name, Path to) {
        try (InputStream text = TwoWires.class.getResourceAsStream(name)) {
            Files.copy(text, to);
            return to;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
