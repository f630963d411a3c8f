package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: much ESP comes past the host's IP layer, by a ring, and no rule of others may miss a packet of it. Topology: two
 * hosts, a bridge in the stack of each, a tunnel between their inner addresses, a stream of datagrams through it.
 * Steps, on the right host and while packets come: rules of nftables at input and at ingress and a filter of tc drop
 * ESP; a rule has connections tracked; an address, a route and the interface's MTU change; each goes again. Expected:
 * of what comes when a rule is there nothing is opened; whatever else there is, packets go on to be opened, and the
 * ring is there again soon after it has gone; no packet is opened twice, and none is in the clear.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.BRIDGE,
    Requirement.IPERF,
    Requirement.NFT
})
class EspRingScenario {
    /** A bridge that had no time for a tenth of a second takes no ring for a minute. */
    private static final Duration SOON = Duration.ofSeconds(90);

    private static final String DATABASES = """
            for way in '192.0.2.1 192.0.2.2 0x1001' '192.0.2.2 192.0.2.1 0x1002'; do
                set -- $way
                ip xfrm state add src $1 dst $2 proto esp spi $3 mode tunnel replay-window 128 \
                    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
            done
            ip xfrm policy add src %1$s dst %2$s dir out tmpl src %3$s dst %4$s proto esp mode tunnel
            ip xfrm policy add src %2$s dst %1$s dir in tmpl src %4$s dst %3$s proto esp mode tunnel
            """;
    private static final String HOOKED =
            "nft 'add table %1$s t; add chain %1$s t c { type filter hook %2$s priority 0; };"
                    + " add rule %1$s t c %3$s'";

    private BridgedPair hosts;

    private Namespace right() {
        return hosts.topology().right().host();
    }

    private long opened() {
        return JsonParser.parseString(hosts.bridge(Side.RIGHT).stat())
                .getAsJsonObject()
                .getAsJsonObject("inbound")
                .get("protected")
                .getAsLong();
    }

    private boolean hasRing() {
        return right().run("nft", "list", "tables").contains("netdev xfrm-bridge-ring");
    }

    private void awaitRing(String when) {
        Await.until("a ring " + when, SOON, this::hasRing);
        awaitPackets(when);
    }

    private void awaitPackets(String when) {
        long before = opened();
        Await.until("packets " + when, SOON, () -> opened() > before + 100);
    }

    private void change(String command) {
        right().run("sh", "-ec", command);
    }

    /** What was in the hands of the bridge when the command ended is counted some milliseconds later. */
    private void assertNothingIsOpenedUnder(String begin, String end) {
        awaitRing("before " + begin);
        change(begin);
        Await.pause(Duration.ofMillis(300));
        long before = opened();
        Await.pause(Duration.ofMillis(700));
        assertEquals(before, opened(), begin);
        change(end);
        awaitRing("after " + end);
    }

    private void assertAllIsOpenedBeside(String begin, String end, boolean endsRing) {
        awaitRing("before " + begin);
        change(begin);
        awaitPackets("beside " + begin);
        if (endsRing) {
            assertFalse(hasRing(), begin);
        }
        change(end);
        awaitRing("after " + end);
    }

    @Test
    void shouldBeThereWhereNoRuleOfOthersIs() throws IOException {
        try (BridgedPair pair =
                BridgedPair.start("esp-ring", Topology::direct, Attachment.STACK, Attachment.STACK, List.of())) {
            hosts = pair;
            for (Side side : Side.values()) {
                Gateway here = hosts.topology().site(side);
                Gateway there = hosts.topology().site(side.other());
                here.routeTo(there, Family.IPV4);
                String databases = DATABASES.formatted(
                        here.inner().v4(),
                        there.inner().v4(),
                        here.outer().v4(),
                        there.outer().v4());
                hosts.bridge(side).run("sh", "-ec", databases);
            }
            stream();
            assertNothingIsOpenedUnder(
                    HOOKED.formatted("inet", "input", "ip protocol esp drop"), "nft delete table inet t");
            assertNothingIsOpenedUnder(
                    HOOKED.formatted("ip", "prerouting", "ip protocol esp drop"), "nft delete table ip t");
            assertNothingIsOpenedUnder(
                    HOOKED.formatted("netdev", "ingress device eth0", "ip protocol esp drop"),
                    "nft delete table netdev t");
            assertNothingIsOpenedUnder(
                    "ip link add aside type veth peer name away; tc qdisc add dev eth0 clsact; tc filter add dev eth0 "
                            + "ingress protocol ip u32 match ip protocol 50 0xff "
                            + "action mirred egress redirect dev aside",
                    "tc qdisc del dev eth0 clsact; ip link del aside");
            assertAllIsOpenedBeside(
                    HOOKED.formatted("inet", "input", "ct state established,related,new accept"),
                    "nft delete table inet t",
                    true);
            assertAllIsOpenedBeside("ip addr add 192.0.2.77/24 dev eth0", "ip addr del 192.0.2.77/24 dev eth0", false);
            assertAllIsOpenedBeside("ip link set eth0 mtu 4000", "ip link set eth0 mtu 1500", true);
            assertAllIsOpenedBeside("ip rule add prio 99 lookup main", "ip rule del prio 99", false);
            assertTrue(JsonParser.parseString(hosts.bridge(Side.RIGHT).stat())
                    .getAsJsonObject()
                    .getAsJsonObject("xfrm_stat")
                    .entrySet()
                    .stream()
                    .allMatch(drops -> drops.getValue().getAsLong() == 0));
        }
    }

    /** From left to right, till the end of the scene. */
    private void stream() throws IOException {
        String to = hosts.topology().right().inner().v4();
        hosts.scene()
                .own(right().start(
                                "iperf3",
                                hosts.scene().file("server.log"),
                                right().command("iperf3", "-s", "--forceflush", "-B", to)))
                .awaitOutput("listening", SOON);
        Namespace left = hosts.topology().left().host();
        String from = hosts.topology().left().inner().v4();
        hosts.scene()
                .own(left.start(
                        "iperf3",
                        hosts.scene().file("client.log"),
                        left.command("iperf3", "-c", to, "-B", from, "-u", "-l", "800", "-b", "20M", "-t", "600")));
    }
}
