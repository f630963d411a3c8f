package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.km.XfrmService.HashThresholds;
import org.xfrmbridge.km.XfrmService.PolicyCounts;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.Template;

class PolicyVerbsTest extends EngineFixture {
    private static final Selector HOSTS = hosts("10.1.0.1", "10.2.0.2");
    private static final Selector OTHER_HOSTS = hosts("10.1.0.1", "10.2.0.3");

    /** A policy like any other, but for what a test changes. */
    private static final class Draft {
        Selector selector = HOSTS;
        Lifetime lifetime = Lifetime.UNLIMITED;
        int priority = 100;
        int index;
        Direction direction = Direction.OUT;
        PolicySpec.Action action = PolicySpec.Action.ALLOW;
        int share;
        List<Template> templates = List.of(tunnel(1));
        Mark mark = Mark.NONE;
        int ifId;
        PolicySpec.Type type = PolicySpec.Type.MAIN;

        PolicySpec spec() {
            return PolicySpec.builder()
                    .selector(selector)
                    .lifetime(lifetime)
                    .priority(priority)
                    .index(index)
                    .direction(direction)
                    .action(action)
                    .share(share)
                    .templates(templates)
                    .mark(mark)
                    .ifId(ifId)
                    .type(type)
                    .build();
        }
    }

    private interface Change {
        void to(Draft draft);
    }

    private static PolicySpec with(Change change) {
        Draft draft = new Draft();
        change.to(draft);
        return draft.spec();
    }

    private static Template template(int family, Mode mode, int protocol, boolean optional) {
        return Template.builder()
                .id(new StateId(RIGHT, 0, protocol))
                .family(family)
                .saddr(LEFT)
                .reqid(1)
                .mode(mode)
                .optional(optional)
                .build();
    }

    private static Template espTemplate(int family, Mode mode) {
        return template(family, mode, IpProtocol.ESP, false);
    }

    private static Selector selector(int family, int daddrPrefix, int saddrPrefix) {
        return Selector.of(family)
                .saddr(LEFT, saddrPrefix)
                .daddr(RIGHT, daddrPrefix)
                .build();
    }

    private static Arguments of(String what, Change change) {
        return Arguments.of(what, change);
    }

    static Stream<Arguments> refusals() {
        int ipv4 = AddressFamily.INET;
        int ipv6 = AddressFamily.INET6;
        return Stream.of(
                of("share of 4", p -> p.share = 4),
                of("no action", p -> p.action = null),
                of("no family", p -> p.selector = selector(0, 0, 0)),
                of("IPv4 prefix of 33", p -> p.selector = selector(ipv4, 33, 0)),
                of("IPv6 prefix of 129", p -> p.selector = selector(ipv6, 0, 129)),
                of("no direction", p -> p.direction = null),
                of("index of another direction", p -> p.index = 64),
                of("no type", p -> p.type = null),
                of("seven templates", p -> p.templates = Collections.nCopies(7, tunnel(1))),
                of("transport mode of another family", p -> p.templates = List.of(espTemplate(ipv6, Mode.TRANSPORT))),
                of("transport mode of another family than the tunnel before", p -> {
                    p.templates = List.of(espTemplate(ipv6, Mode.TUNNEL), espTemplate(ipv4, Mode.TRANSPORT));
                }),
                of("no mode", p -> p.templates = List.of(espTemplate(ipv4, null))),
                of("odd template family", p -> p.templates = List.of(espTemplate(7, Mode.TUNNEL))),
                of("UDP as transform", p -> p.templates = List.of(template(ipv4, Mode.TUNNEL, IpProtocol.UDP, false))),
                of(
                        "any protocol",
                        p -> p.templates = List.of(template(ipv4, Mode.TUNNEL, IpProtocol.IPSEC_ANY, false))),
                of(
                        "optional tunnel outbound",
                        p -> p.templates = List.of(template(ipv4, Mode.TUNNEL, IpProtocol.COMP, true))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refusals")
    void shouldRefuseAsTheKernelDoes(String what, Change change) {
        refused(Errno.EINVAL, () -> engine.addPolicy(with(change), true, ASKER));
        refused(Errno.EINVAL, () -> engine.addPolicy(with(change), false, ASKER));
        assertEquals(List.of(), all(engine.policies(PolicySpec.Type.MAIN)));
    }

    @Test
    void shouldGiveTemplatesWithoutFamilyThePolicys() throws XfrmException {
        PolicySpec spec = engine.addPolicy(
                        with(p -> p.templates = List.of(espTemplate(0, Mode.TRANSPORT))), true, ASKER)
                .spec();

        assertEquals(AddressFamily.INET, spec.templates().getFirst().family());
    }

    @Test
    void shouldTakeAnOptionalTunnelInbound() throws XfrmException {
        engine.addPolicy(
                with(p -> {
                    p.direction = Direction.IN;
                    p.templates = List.of(
                            template(AddressFamily.INET, Mode.TUNNEL, IpProtocol.COMP, true),
                            espTemplate(0, Mode.TRANSPORT));
                }),
                true,
                ASKER);

        assertEquals(1, engine.policyCounts().global()[Direction.IN.number()]);
    }

    @Test
    void shouldNumberPoliciesByEightsWithTheirDirection() throws XfrmException {
        Policy first = engine.addPolicy(with(p -> {}), true, ASKER);
        Policy second = engine.addPolicy(with(p -> p.direction = Direction.FWD), true, ASKER);

        assertEquals(1, first.spec().index());
        assertEquals(10, second.spec().index());
        heard("NEW policy 1", "NEW policy 10");
    }

    @Test
    void shouldTakeAnIndexOfTheClientsChoiceAndAnotherIfItIsInUse() throws XfrmException {
        assertEquals(
                65,
                engine.addPolicy(with(p -> p.index = 65), true, ASKER).spec().index());

        Policy second = engine.addPolicy(
                with(p -> {
                    p.index = 65;
                    p.selector = OTHER_HOSTS;
                }),
                true,
                ASKER);

        assertEquals(1, second.spec().index());
    }

    @Test
    void shouldRefuseANewOneOfTheSameNameAndReplaceItOnUpdate() throws XfrmException {
        Policy old = engine.addPolicy(with(p -> {}), true, ASKER);

        refused(Errno.EEXIST, () -> engine.addPolicy(with(p -> p.priority = 5), true, ASKER));
        Policy updated = engine.addPolicy(with(p -> p.priority = 5), false, ASKER);

        assertTrue(old.isDead());
        assertEquals(old.spec().index(), updated.spec().index());
        assertEquals(List.of(updated), all(engine.policies(PolicySpec.Type.MAIN)));
        heard("UPDATE policy 1");
    }

    @Test
    void shouldAddOnUpdateWhenThereIsNone() throws XfrmException {
        engine.addPolicy(with(p -> {}), false, ASKER);

        heard("UPDATE policy 1");
    }

    @Test
    void shouldTellApartByMarkInterfaceAndType() throws XfrmException {
        engine.addPolicy(with(p -> {}), true, ASKER);
        engine.addPolicy(with(p -> p.mark = new Mark(1, 1)), true, ASKER);
        engine.addPolicy(with(p -> p.ifId = 1), true, ASKER);
        engine.addPolicy(with(p -> p.type = PolicySpec.Type.SUB), true, ASKER);

        assertEquals(3, all(engine.policies(PolicySpec.Type.MAIN)).size());
        assertEquals(1, all(engine.policies(PolicySpec.Type.SUB)).size());
        assertEquals(4, all(engine.policies(null)).size());
    }

    @Test
    void shouldFindByIndexAndBySelector() throws XfrmException {
        Policy policy = engine.addPolicy(with(p -> {}), true, ASKER);

        assertSame(policy, engine.getPolicy(byIndex(1, Direction.OUT)));
        assertSame(policy, engine.getPolicy(bySelector(policy.spec())));
        refused(Errno.ENOENT, () -> engine.getPolicy(byIndex(1, Direction.IN)));
        refused(Errno.ENOENT, () -> engine.getPolicy(byIndex(9, Direction.OUT)));
        refused(Errno.ENOENT, () -> engine.getPolicy(bySelector(with(p -> p.selector = OTHER_HOSTS))));
        refused(Errno.ENOENT, () -> engine.getPolicy(bySelector(with(p -> p.ifId = 3))));
        refused(Errno.ENOENT, () -> engine.getPolicy(bySelector(with(p -> p.selector = selector(0, 0, 0)))));
        refused(Errno.EINVAL, () -> engine.getPolicy(byIndex(1, null)));
        refused(Errno.EINVAL, () -> engine.getPolicy(new PolicyKey(null, Direction.OUT, 1, HOSTS, Mark.NONE, 0, null)));
    }

    @Test
    void shouldDeleteAndSayHowItWasNamed() throws XfrmException {
        Policy policy = engine.addPolicy(with(p -> {}), true, ASKER);
        engine.addPolicy(with(p -> p.selector = OTHER_HOSTS), true, ASKER);
        keyManager.take();

        assertSame(policy, engine.deletePolicy(bySelector(policy.spec()), ASKER));
        engine.deletePolicy(byIndex(9, Direction.OUT), ASKER);

        heard("DELETE policy 1", "DELETE policy 9 by index");
        assertTrue(policy.isDead());
        refused(Errno.ENOENT, () -> engine.deletePolicy(byIndex(9, Direction.OUT), ASKER));
    }

    @Test
    void shouldFlushOneTypeAndTellOnce() throws XfrmException {
        engine.addPolicy(with(p -> {}), true, ASKER);
        engine.addPolicy(with(p -> p.selector = OTHER_HOSTS), true, ASKER);
        engine.addPolicy(with(p -> p.type = PolicySpec.Type.SUB), true, ASKER);
        keyManager.take();

        engine.flushPolicies(PolicySpec.Type.MAIN, ASKER);

        heard("flushed policies MAIN");
        assertEquals(1, engine.policyCounts().global()[Direction.OUT.number()]);
        refused(Errno.ESRCH, () -> engine.flushPolicies(PolicySpec.Type.MAIN, ASKER));
    }

    @Test
    void shouldWalkYoungestFirst() throws XfrmException {
        engine.addPolicy(with(p -> {}), true, ASKER);
        engine.addPolicy(with(p -> p.selector = OTHER_HOSTS), true, ASKER);

        assertEquals(
                List.of(9, 1),
                all(engine.policies(PolicySpec.Type.MAIN)).stream()
                        .map(p -> p.spec().index())
                        .toList());
    }

    // Expiry

    @Test
    void shouldEndWhenAClientSaysSo() throws XfrmException {
        engine.addPolicy(with(p -> {}), true, ASKER);
        keyManager.take();

        engine.expirePolicy(byIndex(1, Direction.OUT), false, ASKER);
        engine.expirePolicy(byIndex(1, Direction.OUT), true, ASKER);

        heard("soft expire policy 1 OUT for 1234", "hard expire policy 1 OUT for 1234");
        refused(Errno.ENOENT, () -> engine.expirePolicy(byIndex(1, Direction.OUT), true, ASKER));
    }

    @Test
    void shouldRemindOfASoftLimitUntilTheHardOne() throws XfrmException {
        engine.addPolicy(with(p -> p.lifetime = seconds(10, 60, 0, 0)), true, ASKER);
        keyManager.take();

        passSeconds(9);
        heard();
        passSeconds(1);
        heard("soft expire policy 1 OUT for 0");
        passSeconds(30);
        heard("soft expire policy 1 OUT for 0");
        passSeconds(20);
        heard("hard expire policy 1 OUT for 0");
        assertEquals(Long.MAX_VALUE, engine.nextDeadlineNs());
    }

    @Test
    void shouldTellOfTheOtherSoftLimitBeforeItRemindsOfTheFirst() throws XfrmException {
        engine.addPolicy(with(p -> p.lifetime = seconds(10, 0, 25, 0)), true, ASKER);
        keyManager.take();

        passSeconds(10);
        heard("soft expire policy 1 OUT for 0");
        passSeconds(15);
        heard("soft expire policy 1 OUT for 0");
    }

    @Test
    void shouldTakeALimitAboveTheSignAsReached() throws XfrmException {
        engine.addPolicy(with(p -> p.lifetime = seconds(Long.MAX_VALUE, -1, 0, 0)), true, ASKER);
        keyManager.take();

        passSeconds(1);
        heard("hard expire policy 1 OUT for 0");
    }

    @Test
    void shouldCountUseFromTheAddingUntilItIsUsed() throws XfrmException {
        Policy used = engine.addPolicy(with(p -> p.lifetime = seconds(0, 0, 0, 20)), true, ASKER);
        engine.addPolicy(
                with(p -> {
                    p.selector = OTHER_HOSTS;
                    p.lifetime = seconds(0, 0, 0, 20);
                }),
                true,
                ASKER);
        keyManager.take();

        passSeconds(5);
        used.touch(clock.epochSeconds());
        passSeconds(15);
        heard("hard expire policy 9 OUT for 0");
        passSeconds(5);
        heard("hard expire policy 1 OUT for 0");
    }

    @Test
    void shouldCountUseFromTheLastOneWhenUsedAgain() throws XfrmException {
        Policy used = engine.addPolicy(with(p -> p.lifetime = seconds(0, 0, 0, 20)), true, ASKER);
        keyManager.take();

        used.touch(clock.epochSeconds());
        passSeconds(15);
        used.touch(clock.epochSeconds());
        assertEquals(clock.epochSeconds(), used.usage().useSeconds());
        passSeconds(15);
        heard();
        passSeconds(5);
        heard("hard expire policy 1 OUT for 0");
    }

    @Test
    void shouldStopTheTimerOfAPolicyThatWasReplacedOrDeleted() throws XfrmException {
        engine.addPolicy(with(p -> p.lifetime = seconds(0, 20, 0, 0)), true, ASKER);
        engine.addPolicy(with(p -> {}), false, ASKER);
        engine.addPolicy(
                with(p -> {
                    p.selector = OTHER_HOSTS;
                    p.lifetime = seconds(0, 20, 0, 0);
                }),
                true,
                ASKER);
        engine.deletePolicy(byIndex(9, Direction.OUT), ASKER);
        keyManager.take();

        passSeconds(100);

        heard();
        assertEquals(1, all(engine.policies(PolicySpec.Type.MAIN)).size());
    }

    // Settings

    @Test
    void shouldChangeDefaultsThatAreNamedAndTell() throws XfrmException {
        assertEquals(new Defaults(2, 2, 2), engine.defaults());

        engine.setDefaults(new Defaults(1, 0, 9), ASKER);

        assertEquals(new Defaults(1, 2, 2), engine.defaults());
        assertEquals(PolicySpec.Action.BLOCK, spd.defaultAction(Direction.IN));
        heard("Defaults[in=1, forward=2, out=2]");
    }

    @Test
    void shouldKeepThresholdsUnlessOneOfThemIsTooLong() throws XfrmException {
        engine.setHashThresholds(new HashThresholds(24, 16), null);
        refused(Errno.EINVAL, () -> engine.setHashThresholds(new HashThresholds(8, 8), new HashThresholds(129, 0)));
        refused(Errno.EINVAL, () -> engine.setHashThresholds(new HashThresholds(8, 33), null));

        PolicyCounts counts = engine.policyCounts();
        assertEquals(new HashThresholds(24, 16), counts.ipv4());
        assertEquals(new HashThresholds(128, 128), counts.ipv6());
    }

    @Test
    void shouldCountPerDirection() throws XfrmException {
        engine.addPolicy(with(p -> {}), true, ASKER);
        engine.addPolicy(with(p -> p.direction = Direction.FWD), true, ASKER);

        assertArrayEquals(new int[] {0, 1, 1}, engine.policyCounts().global());
        assertArrayEquals(new int[3], engine.policyCounts().socket());
    }
}
