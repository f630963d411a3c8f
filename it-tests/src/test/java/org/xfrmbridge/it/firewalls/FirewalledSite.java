package org.xfrmbridge.it.firewalls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.ClearPackets;
import org.xfrmbridge.it.harness.NetTunnels;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Two gateways with bridges in their stacks and a client behind each. The left one is to have a firewall. All places
 * answer at {@link #PORTS}. A stranger on the wire has an address of the far network. Sniffers are on all wires.
 *
 * <pre>
 *   CLIENT, GUEST --- lan GATEWAY eth0 OUTSIDE === [switch] === eth0 right lan --- FAR
 *                                                     |              lo WORLD
 *                                                  stranger
 * </pre>
 */
final class FirewalledSite implements AutoCloseable {
    /** The port to ask at last, which rules must leave open. */
    static final int OPEN = 7009;

    private static final String PORTS = "1701,7001,7002,7003,7004,7005,7006,7007,7008,7009";
    /** Gives the host what is printed, as an administrator does. */
    static final String APPLY = BridgeProcess.program() + " firewall | sh -e";

    private static final int PORTS_OF_QUESTION = 50;
    private static final String PROGRAM = "probe.py";
    private static final Map<Family, String> STRANGER = Map.of(Family.IPV4, "10.2.0.7", Family.IPV6, "fd02::7");
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final BridgedPair hosts;
    private final Path probe;
    private final Namespace stranger;
    private final Map<String, Sniffer> sniffers = new TreeMap<>();
    private final List<Daemon> servers = new ArrayList<>();
    private int firstPort = 10_000;

    /** With tunnels of fixed keys. */
    static FirewalledSite start(String name, String... options) {
        FirewalledSite site = startWithoutTunnels(name, options);
        try {
            NetTunnels.install(site.hosts, inner -> inner);
            return site;
        } catch (RuntimeException | AssertionError e) {
            BridgedPair.abandon(site, e);
            throw e;
        }
    }

    static FirewalledSite startWithoutTunnels(String name, String... options) {
        BridgedPair hosts =
                BridgedPair.start(name, Topology::gateways, Attachment.STACK, Attachment.STACK, List.of(options));
        try {
            return new FirewalledSite(hosts);
        } catch (RuntimeException | AssertionError e) {
            BridgedPair.abandon(hosts, e);
            throw e;
        }
    }

    private FirewalledSite(BridgedPair hosts) {
        this.hosts = hosts;
        probe = copyProbe();
        stranger = joinStranger();
        client().address(Gateway.DEVICE, Place.GUEST.address(Family.IPV4) + "/24");
        client().address(Gateway.DEVICE, Place.GUEST.address(Family.IPV6) + "/64");
        host().address("lan", "10.5.0.100/24");
        host().address("lan", "fd05::100/64");
        host().sysctl("ipv4.conf.all.rp_filter", 1);
        Gateway right = hosts.topology().right();
        right.host().address("lo", Place.WORLD.address(Family.IPV4) + "/32");
        right.host().address("lo", Place.WORLD.address(Family.IPV6) + "/128");
        for (Family family : Family.values()) {
            host().route(Place.WORLD.address(family), right.outer().of(family));
        }
        right.host().route("10.5.0.0/24", hosts.topology().left().outer().v4());
        right.host().route("fd05::/64", hosts.topology().left().outer().v6());
        sniff(hosts.topology().wire(), Topology.LEFT_PORT);
        sniff(client(), Gateway.DEVICE);
        sniff(right.host(), "lan");
        hosts.sniffer().dismiss();
        serve(client(), Place.CLIENT, Place.GUEST);
        serve(host(), Place.GATEWAY, Place.OUTSIDE);
        serve(right.client(), Place.FAR);
        serve(right.host(), Place.WORLD);
        servers.forEach(server -> server.awaitOutput("ready", LIMIT));
    }

    private Path copyProbe() {
        Path to = scene().file(PROGRAM);
        try (InputStream text = FirewalledSite.class.getResourceAsStream(PROGRAM)) {
            Files.copy(text, to);
            return to;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Namespace joinStranger() {
        Namespace joined = new Namespace(scene(), "stranger");
        Namespace wire = hosts.topology().wire();
        Namespace.connect(joined, Gateway.DEVICE, wire, "stranger");
        wire.ip("link", "set", "stranger", "master", "switch");
        joined.address(Gateway.DEVICE, "192.0.2.9/24");
        joined.address(Gateway.DEVICE, "2001:db8:7::9/64");
        for (Family family : Family.values()) {
            joined.address("lo", family.host(STRANGER.get(family)));
            joined.route(
                    NetTunnels.network(Side.LEFT, family),
                    hosts.topology().left().outer().of(family));
            // It is to be the policies that keep it out.
            host().ip("route", "add", family.host(STRANGER.get(family)), "dev", Gateway.DEVICE);
        }
        return joined;
    }

    private void sniff(Namespace where, String device) {
        Sniffer sniffer = Sniffer.start(scene(), where, device);
        // What is in the clear by intention is no fault here.
        sniffer.dismiss();
        sniffers.put(device, sniffer);
    }

    private void serve(Namespace where, Place... places) {
        List<String> line = new ArrayList<>(List.of("serve", PORTS));
        for (Place place : places) {
            for (Family family : Family.values()) {
                line.add(place.address(family));
            }
        }
        servers.add(start(where, line));
    }

    private Daemon start(Namespace where, List<String> arguments) {
        Path log = scene().file("probe-" + scene().uniqueName() + "-" + where.role() + ".log");
        return scene().own(where.start(PROGRAM, log, probe(where, arguments).withOpenInput()));
    }

    private Command probe(Namespace where, List<String> arguments) {
        List<String> line = new ArrayList<>(List.of(Requirement.PYTHON, probe.toString()));
        line.addAll(arguments);
        return where.command(line).within(LIMIT);
    }

    /** The program that asks and answers. */
    Path probe() {
        return probe;
    }

    BridgedPair hosts() {
        return hosts;
    }

    Scene scene() {
        return hosts.scene();
    }

    /** The gateway that is to have a firewall. */
    Namespace host() {
        return hosts.topology().left().host();
    }

    Namespace client() {
        return hosts.topology().left().client();
    }

    /** Throws unless {@code status} warns of rules that are for a kernel's IPsec, or does not, as is expected. */
    void assertWarned(boolean expected) {
        String status = bridge().status();
        assertEquals(expected, status.contains("for a kernel's IPsec and will not do here"), status);
    }

    BridgeProcess bridge() {
        return hosts.bridge(Side.LEFT);
    }

    private Namespace namespace(Place place) {
        return switch (place) {
            case CLIENT, GUEST -> client();
            case GATEWAY, OUTSIDE -> host();
            case FAR -> hosts.topology().right().client();
            case WORLD -> hosts.topology().right().host();
        };
    }

    /** By datagrams: {@code OPEN SOURCE}, ports that answered with the sources that they saw. */
    String ask(Place from, Place to, Family family, int... open) {
        return ask("udp", from, to, family, open, new int[0]);
    }

    /** The same by connections. */
    String connect(Place from, Place to, Family family, int... open) {
        return ask("tcp", from, to, family, open, new int[0]);
    }

    private String ask(String protocol, Place from, Place to, Family family, int[] open, int[] others) {
        List<String> line = List.of(
                "ask",
                protocol,
                from.address(family),
                to.address(family),
                joined(open),
                joined(others),
                Integer.toString(firstPort));
        firstPort += PORTS_OF_QUESTION;
        return String.join(
                ", ", probe(namespace(from), line).run().strip().lines().toList());
    }

    private static String joined(int... ports) {
        return IntStream.of(ports).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }

    /** What one ping says, answered or not. */
    List<String> ping(Place from, Place to, Family family) {
        String[] line = {"ping", "-n", "-c", "1", "-W", "10", "-I", from.address(family), to.address(family)};
        return namespace(from).command(line).result().output().lines().toList();
    }

    /** Throws unless just these of the ports, and an open one, answer {@code from} as it is. */
    void assertAnswer(Place from, Place to, Family family, int[] asked, int... open) {
        assertAnswerTo(from.address(family), from, to, family, asked, open);
    }

    /** The same, where the answering see another source. */
    void assertAnswerTo(String source, Place from, Place to, Family family, int[] asked, int... open) {
        int[] awaited = IntStream.concat(IntStream.of(open), IntStream.of(OPEN)).toArray();
        int[] others = IntStream.of(asked)
                .filter(port -> IntStream.of(open).noneMatch(other -> other == port))
                .toArray();
        String expected =
                IntStream.of(awaited).mapToObj(port -> port + " " + source).collect(Collectors.joining(", "));
        assertEquals(expected, ask("udp", from, to, family, awaited, others), () -> from + " asks " + to);
    }

    /** The host's entries of connection tracking that have all these words. */
    List<String> tracked(String... words) {
        return host().run("cat", "/proc/net/nf_conntrack")
                .lines()
                .filter(line -> List.of(line.split(" +")).containsAll(List.of(words)))
                .toList();
    }

    /** The packets that a filter of tcpdump takes, on one of the wires left, lan and eth0 (of the left client). */
    List<String> packets(String wire, String filter) {
        sniffers.get(wire).pcap();
        return sniffers.get(wire).packets(filter);
    }

    int esp() {
        return packets(Topology.LEFT_PORT, "ip proto 50 or ip6 proto 50").size();
    }

    /** The stranger sends to the client and to the gateway what only tunnels may bring; until it is closed. */
    List<Daemon> startStrays() {
        List<Daemon> strays = new ArrayList<>();
        for (Family family : Family.values()) {
            for (Place to : List.of(Place.CLIENT, Place.GATEWAY)) {
                strays.add(start(
                        stranger, List.of("send", STRANGER.get(family), to.address(family), Integer.toString(OPEN))));
            }
        }
        strays.forEach(stray -> stray.awaitOutput("ready", LIMIT));
        return strays;
    }

    /**
     * Datagrams from the client to the far network, one every 10 ms, until {@link #assertStreamed}. No pings: while
     * ICMP that is forwarded waits for the bridge, a kernel drops it whenever anybody's chain goes.
     */
    List<Daemon> startStreams() {
        List<Daemon> streams = new ArrayList<>();
        for (Family family : Family.values()) {
            List<String> line =
                    List.of("stream", Place.CLIENT.address(family), Place.FAR.address(family), Integer.toString(OPEN));
            streams.add(start(client(), line));
        }
        streams.forEach(stream -> stream.awaitOutput("ready", LIMIT));
        return streams;
    }

    /** Throws unless all were answered. */
    void assertStreamed(List<Daemon> streams) {
        for (Daemon stream : streams) {
            String[] words = stream.finish(LIMIT).lines().toList().getLast().split(" ");
            assertEquals(words[0], words[2], stream::output);
        }
    }

    /** Throws if anything of the far network was on the wire in the clear, or came in so. */
    void assertNothingClear() {
        String far = "(net 10.2.0.0/16 or net fd02::/64)";
        String strangers = "(host %s or host %s)".formatted(STRANGER.get(Family.IPV4), STRANGER.get(Family.IPV6));
        ClearPackets.assertNone(packets(Topology.LEFT_PORT, far + " and not " + strangers));
        ClearPackets.assertNone(packets(Gateway.DEVICE, strangers));
        for (Daemon server : servers) {
            for (String address : STRANGER.values()) {
                assertTrue(!server.output().contains("from " + address + " "), server::output);
            }
        }
    }

    @Override
    public void close() {
        hosts.close();
    }
}
