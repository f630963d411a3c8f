package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.it.harness.KeyedHosts;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvent;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Why: RFC 9611, an SA for each CPU beside one for all. Topology: two hosts with bridges of two queues, a sniffer
 * between them; the left one's policy has the flag CPU_ACQUIRE, and this test is its key manager. Steps: twenty streams
 * of datagrams, again with an SA for the CPU that has asked first, with one for the other, and when that has gone.
 * Expected: one ACQUIRE for each CPU, while what there is carries all; then each thread sends by its own SA and hands
 * nothing over; without one of its own it sends by the one for all again, and asks. No datagram is lost.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.IPERF, Requirement.TCPDUMP})
class PerCpuScenario {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int WAIT_MS = 30_000;
    private static final int FOR_ALL = 0x1000;
    private static final int BACK = 0x2000;
    private static final String WINDOW = "replay-window 32";
    private static final String CPU_ACQUIRE = " flag 0x4";
    private static final Pattern SPI = Pattern.compile("ESP\\(spi=0x([0-9a-f]+),");

    private KeyedHosts hosts;
    private Sniffer sniffer;

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldSendByTheSaOfEachThread(Attachment attachment) throws IOException {
        try (Scene scene = new Scene("per-cpu-" + attachment)) {
            Topology topology = Topology.direct(scene);
            sniffer = Sniffer.start(scene, topology.wire(), Topology.LEFT_PORT);
            hosts = KeyedHosts.start(scene, topology, attachment, List.of("--queues", "2"));
            try (XfrmClient client =
                            Clients.xfrmOfBridge(hosts.bridge(Side.LEFT).directory());
                    XfrmEvents events = client.events(XfrmMessage.GROUP_ACQUIRE)) {
                for (Side side : Side.values()) {
                    hosts.run(
                            side,
                            hosts.state(Side.LEFT, FOR_ALL, 1, WINDOW)
                                    + hosts.state(Side.RIGHT, BACK, 1, WINDOW)
                                    + hosts.policy(side, Side.LEFT, 1, side == Side.LEFT ? CPU_ACQUIRE : "")
                                    + hosts.policy(side, Side.RIGHT, 1, ""));
                }
                hosts.serveIperf(scene);
                follow(client, events);
            }
        }
    }

    private void follow(XfrmClient client, XfrmEvents events) throws IOException {
        assertEquals(Set.of(FOR_ALL), spisOfStreams());
        XfrmEvent.Acquire first = acquire(events);
        XfrmEvent.Acquire second = acquire(events);
        assertEquals(Set.of(0, 1), Set.of(first.pcpu(), second.pcpu()));

        answer(client, first);
        assertEquals(Set.of(FOR_ALL, spiOf(first)), spisOfStreams());
        answer(client, second);
        long handedOver = hosts.count(Side.LEFT, "outbound", "handed_over");
        assertEquals(Set.of(spiOf(first), spiOf(second)), spisOfStreams());
        assertEquals(handedOver, hosts.count(Side.LEFT, "outbound", "handed_over"));
        assertNull(events.next(100));

        StateId id = new StateId(Address.parse(hosts.outer(Side.RIGHT)), spiOf(second), IpProtocol.ESP);
        client.deleteState(new StateKey(id, AddressFamily.INET, Mark.NONE, null));
        assertEquals(Set.of(FOR_ALL, spiOf(first)), spisOfStreams());
        assertEquals(second.pcpu(), acquire(events).pcpu());
        assertEquals(0, hosts.count(Side.RIGHT, "xfrm_stat", "XfrmInStateSeqError"));
    }

    private static XfrmEvent.Acquire acquire(XfrmEvents events) throws IOException {
        return assertInstanceOf(XfrmEvent.Acquire.class, events.next(WAIT_MS));
    }

    private static int spiOf(XfrmEvent.Acquire asked) {
        return FOR_ALL + 1 + asked.pcpu();
    }

    /** The receiver first. */
    private void answer(XfrmClient client, XfrmEvent.Acquire asked) throws IOException {
        int spi = spiOf(asked);
        hosts.run(Side.RIGHT, hosts.state(Side.LEFT, spi, 1, WINDOW));
        byte[] key = HexFormat.of().parseHex(KeyedHosts.KEY.substring(2));
        client.addState(StateSpec.builder()
                .id(new StateId(Address.parse(hosts.outer(Side.RIGHT)), spi, IpProtocol.ESP))
                .saddr(Address.parse(hosts.outer(Side.LEFT)))
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(1)
                .seq(asked.request().seq())
                .direction(StateSpec.DIRECTION_OUT)
                .pcpu(asked.pcpu())
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, key))
                .build());
    }

    /** By which SAs the left side sent them, so many that both queues get some. */
    private Set<Integer> spisOfStreams() {
        Map<Integer, Integer> before = sent();
        JsonObject end = hosts.iperf(LIMIT, "-u", "-P20", "-l", "500", "-b", "100K", "-t1");
        for (JsonElement stream : end.getAsJsonArray("streams")) {
            JsonObject udp = stream.getAsJsonObject().getAsJsonObject("udp");
            assertEquals(0, udp.get("lost_packets").getAsLong(), udp::toString);
            assertTrue(udp.get("packets").getAsLong() > 10, udp::toString);
        }
        Set<Integer> used = new TreeSet<>();
        sent().forEach((spi, packets) -> {
            if (packets > before.getOrDefault(spi, 0)) {
                used.add(spi);
            }
        });
        return used;
    }

    private Map<Integer, Integer> sent() {
        Map<Integer, Integer> packets = new TreeMap<>();
        for (String packet : sniffer.packets("esp and src " + hosts.outer(Side.LEFT))) {
            Matcher esp = SPI.matcher(packet);
            assertTrue(esp.find(), packet);
            packets.merge(Integer.parseInt(esp.group(1), 16), 1, Integer::sum);
        }
        return packets;
    }
}
