package org.xfrmbridge.it.javaclient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.km.XfrmService.HashThresholds;
import org.xfrmbridge.km.XfrmService.PolicyCounts;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.netlink.client.PolicyEntry;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvent;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyPolicy;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpecBuilder;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Java programs are to find the same in a bridge as in a kernel. One host with a bridge, and an empty namespace of this
 * machine's kernel; the same calls of XfrmClient go to both. Steps: policies of many kinds, larval states, default
 * verdicts, refusals, a dump, and all events meanwhile. Expected: equal records, but for times. This kernel need not
 * have ESP.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.XFRM_USER})
class JavaClientScenario {
    /** Indexes from here on are for clients to choose. */
    private static final int FIRST_INDEX = 0x4000_0000;

    private static final int WAIT_MS = 5000;
    private static final Address LEFT = Address.parse("192.0.2.1");
    private static final Address RIGHT = Address.parse("192.0.2.2");

    @Test
    void shouldFindTheSameInABridgeAsInAKernel() throws Exception {
        try (Scene scene = new Scene("java-client")) {
            Namespace kernel = new Namespace(scene, "kernel");
            List<Object> expected = InNamespace.call(kernel, () -> use(Clients.xfrmOfKernel()));
            BridgeProcess bridge = bridge(scene);
            List<Object> actual = use(Clients.xfrmOfBridge(bridge.directory()));

            for (int i = 0; i < Math.min(expected.size(), actual.size()); i++) {
                assertEquals(expected.get(i), actual.get(i), "result " + i);
            }
            assertEquals(expected.size(), actual.size());
            assertTrue(expected.size() > 100, expected.size() + " results");
        }
    }

    private static BridgeProcess bridge(Scene scene) {
        Namespace host = new Namespace(scene, "host");
        Namespace.connect(host, Gateway.DEVICE, new Namespace(scene, "wire"), "left");
        return BridgeProcess.start(scene, host);
    }

    /** All that the calls return, refusals and events included. */
    private static List<Object> use(XfrmClient opened) throws IOException {
        List<Object> results = new ArrayList<>();
        try (XfrmClient client = opened;
                XfrmEvents events = client.events(
                        XfrmMessage.GROUP_SA,
                        XfrmMessage.GROUP_POLICY,
                        XfrmMessage.GROUP_EXPIRE,
                        XfrmMessage.GROUP_ACQUIRE)) {
            events.setReceiveBuffer(1 << 20);
            policies(client, results);
            larvalStates(client, results);
            databases(client, results);
            client.flushPolicies(PolicySpec.Type.MAIN);
            client.flushStates(0);
            for (XfrmEvent event = events.next(WAIT_MS); event != null; event = events.next(100)) {
                results.add(withoutTimes(event));
            }
        }
        return results;
    }

    private static void policies(XfrmClient client, List<Object> results) throws IOException {
        List<PolicySpec> specs = specs();
        for (PolicySpec spec : specs) {
            client.addPolicy(spec);
            results.add(client.policy(byIndex(spec)).spec());
        }
        results.add(refusal(() -> client.addPolicy(specs.getFirst())));
        client.updatePolicy(specs.getFirst());
        client.expirePolicy(specs.get(1), false);
        client.deletePolicy(byIndex(specs.get(2)));
        results.add(refusal(() -> client.policy(byIndex(specs.get(2)))));
        results.add(refusal(() -> client.deletePolicy(byIndex(specs.get(2)))));
        try (Stream<PolicyEntry> dump = client.policies()) {
            dump.map(PolicyEntry::spec).forEach(results::add);
        }
    }

    /** Both families, all directions, marks, interfaces, limits, verdicts, and none to six templates. */
    private static List<PolicySpec> specs() {
        List<PolicySpec> specs = new ArrayList<>();
        for (int i = 0; i < 48; i++) {
            PolicySpecBuilder spec = PolicySpec.builder();
            boolean ipv4 = i % 2 == 0;
            spec.direction(Direction.values()[i % 3]);
            spec.index(FIRST_INDEX + 8 * i + spec.direction().number())
                    .priority(1000 + i)
                    .selector(Selector.of(ipv4 ? AddressFamily.INET : AddressFamily.INET6)
                            .saddr(Address.parse(ipv4 ? "10.2.0.0" : "fd02::"), ipv4 ? 16 : 64)
                            .daddr(Address.parse(ipv4 ? "10.1." + i + ".0" : "fd01::" + i), ipv4 ? 24 : 128)
                            .dport(i % 5 * 100, i % 5 == 0 ? 0 : 0xffff)
                            .protocol(i % 5 == 0 ? 0 : 17)
                            .build())
                    .mark(i % 7 == 0 ? new Mark(i, 0xff) : Mark.NONE)
                    .ifId(i % 11 == 0 ? i : 0)
                    .lifetime(
                            i % 4 == 0
                                    ? Lifetime.builder()
                                            .softAddSeconds(600)
                                            .hardAddSeconds(900)
                                            .build()
                                    : Lifetime.UNLIMITED)
                    .action(i % 9 == 8 ? PolicySpec.Action.BLOCK : PolicySpec.Action.ALLOW)
                    .flags(i % 3);
            spec.templates(Stream.generate(() -> template(spec)).limit(i % 7).toList());
            specs.add(spec.build());
        }
        return specs;
    }

    /** Of transport mode: a tunnel needs ends of a family that fits. */
    private static Template template(PolicySpecBuilder spec) {
        return Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(spec.selector().family())
                .reqid(5)
                .build();
    }

    private static PolicyKey byIndex(PolicySpec spec) {
        return new PolicyKey(
                spec.type(), spec.direction(), spec.index(), spec.selector(), spec.mark(), spec.ifId(), null);
    }

    private static void larvalStates(XfrmClient client, List<Object> results) throws IOException {
        for (int i = 0; i < 10; i++) {
            StateSpecBuilder larval = StateSpec.builder()
                    .id(new StateId(RIGHT, 0, IpProtocol.ESP))
                    .saddr(LEFT)
                    .family(AddressFamily.INET)
                    .mode(i % 2 == 0 ? Mode.TUNNEL : Mode.TRANSPORT)
                    .reqid(i);
            results.add(
                    client.allocateSpi(larval.build(), 0x1000 + i, 0x1000 + i).spec());
        }
        StateKey first = new StateKey(new StateId(RIGHT, 0x1000, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null);
        results.add(client.state(first).spec());
        client.deleteState(first);
        results.add(refusal(() -> client.state(first)));
        try (Stream<StateEntry> dump = client.states()) {
            dump.map(StateEntry::spec).forEach(results::add);
        }
        results.add(client.stateCount());
    }

    private static void databases(XfrmClient client, List<Object> results) throws IOException {
        results.add(client.defaults());
        client.setDefaults(new Defaults(2, 1, 2));
        results.add(client.defaults());
        client.setDefaults(new Defaults(2, 2, 2));
        client.setHashThresholds(new HashThresholds(16, 24), new HashThresholds(64, 48));
        PolicyCounts counts = client.policyCounts();
        results.add(List.of(
                Arrays.toString(counts.global()), Arrays.toString(counts.socket()), counts.ipv4(), counts.ipv6()));
        results.add(refusal(() -> client.setHashThresholds(new HashThresholds(33, 24), new HashThresholds(64, 48))));
    }

    private interface Call {
        void make() throws IOException;
    }

    private static Object refusal(Call call) throws IOException {
        try {
            call.make();
            return "done";
        } catch (RefusedException e) {
            return e.errno();
        }
    }

    private static Object withoutTimes(XfrmEvent event) {
        return switch (event) {
            case XfrmEvent.StateChanged changed ->
                List.of(changed.change(), changed.state().spec());
            case XfrmEvent.PolicyChanged changed ->
                List.of(changed.change(), changed.policy().spec());
            case XfrmEvent.PolicyExpired expired ->
                List.of("expired", expired.hard(), expired.policy().spec());
            default -> event;
        };
    }

    /** A PF_KEY client and a netlink client of one bridge see one database. */
    @Test
    void shouldSeePoliciesOfNetlinkThroughPfkey() throws IOException {
        try (Scene scene = new Scene("java-pfkey")) {
            BridgeProcess bridge = bridge(scene);
            try (XfrmClient xfrm = Clients.xfrmOfBridge(bridge.directory());
                    PfkeyClient pfkey = Clients.pfkeyOfBridge(bridge.directory())) {
                List<PolicySpec> specs = specs();
                for (PolicySpec spec : specs) {
                    xfrm.addPolicy(spec);
                }
                try (Stream<PfkeyPolicy> policies = pfkey.policies()) {
                    List<Integer> seen = policies.map(policy -> policy.policy().id())
                            .sorted()
                            .toList();
                    assertEquals(specs.stream().map(PolicySpec::index).sorted().toList(), seen);
                }
                pfkey.flushPolicies();
                try (Stream<PolicyEntry> policies = xfrm.policies()) {
                    assertEquals(0, policies.count());
                }
            }
        }
    }
}
