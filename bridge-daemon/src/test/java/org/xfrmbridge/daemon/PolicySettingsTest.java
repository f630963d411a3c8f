package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.daemon.attach.DeviceNames;
import org.xfrmbridge.daemon.attach.WirePlan;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpecBuilder;
import org.xfrmbridge.xfrm.Selector;

/**
 * {@code disable_xfrm} and {@code disable_policy}, judged by this machine's kernel: a policy blocks a ping, or does
 * not, with both.
 */
@Timeout(120)
class PolicySettingsTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "ipv4.conf.veth0.disable_xfrm, OUT, 192.0.2.1, 192.0.2.2",
        "ipv4.conf.all.disable_xfrm, OUT, 192.0.2.1, 192.0.2.2",
        "ipv4.conf.veth0.disable_xfrm, OUT, 2001:db8::1, 2001:db8::2",
        "ipv4.conf.veth0.disable_xfrm, IN, 192.0.2.1, 192.0.2.2",
        "ipv4.conf.veth0.disable_policy, IN, 192.0.2.1, 192.0.2.2",
        "ipv4.conf.all.disable_policy, IN, 192.0.2.1, 192.0.2.2",
        "ipv4.conf.veth0.disable_policy, OUT, 192.0.2.1, 192.0.2.2",
        "ipv6.conf.veth0.disable_policy, IN, 2001:db8::1, 2001:db8::2",
        "ipv6.conf.all.disable_policy, IN, 2001:db8::1, 2001:db8::2",
    })
    void shouldApplyPoliciesWhereAKernelDoes(String setting, Direction direction, String local, String peer)
            throws Exception {
        Assumptions.assumeTrue(
                Files.exists(Path.of("/proc/sys/net/core/xfrm_acq_expires")), "needs a kernel with XFRM");
        try (TestNetwork network = new TestNetwork()) {
            network.ping(peer);
            String source = direction == Direction.OUT ? local : peer;
            String destination = direction == Direction.OUT ? peer : local;
            String policy = " src " + source + " dst " + destination + " dir "
                    + direction.name().toLowerCase(Locale.ROOT);
            network.exec("ip xfrm policy add" + policy + " action block");
            assertFalse(network.ping(peer), "the policy blocks");
            network.exec("sysctl -qw net." + setting + "=1");
            boolean answered = network.ping(peer);
            network.exec("ip xfrm policy delete" + policy);
            assertEquals(answered, pingThroughBridge(network, direction, selector(source, destination), peer));
        }
    }

    private boolean pingThroughBridge(TestNetwork network, Direction direction, Selector selector, String peer)
            throws Exception {
        Bridge bridge = network.inHere(() -> Bridge.start(new BridgeOptions(
                new WirePlan(DeviceNames.of("veth0", "xfrm0"), true), directory, -1, PathContext.DEFAULT_FLOWS)));
        try (XfrmClient client = Clients.xfrmOfBridge(directory)) {
            network.ping(peer);
            PolicySpecBuilder block =
                    PolicySpec.builder().selector(selector).direction(direction).action(PolicySpec.Action.BLOCK);
            client.addPolicy(block.build());
            return network.ping(peer);
        } finally {
            network.inHere(() -> {
                bridge.close();
                return null;
            });
        }
    }

    private static Selector selector(String source, String destination) {
        int family = source.contains(":") ? AddressFamily.INET6 : AddressFamily.INET;
        int bits = AddressFamily.bits(family);
        return Selector.of(family)
                .saddr(Address.parse(source), bits)
                .daddr(Address.parse(destination), bits)
                .build();
    }
}
