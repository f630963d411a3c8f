package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * That what may rule a flow is never missed, and that little else makes it ask again. {@link ConcurrentModelTest} has
 * threads.
 */
class PolicyFreshnessTest {
    private static final int ADDED = 1;
    private static final int FOUND = 5;
    private static final int LOCAL_PORT = 500;
    private static final int CHANGES = 5000;

    private final Spd spd = new Spd();
    private final SocketPolicies sockets = new SocketPolicies(spd);
    private final Random random = new Random(11);

    private static Flow flow(int family) {
        return family == AddressFamily.INET
                ? flow(family, "10.77.143.5", "172.18.204.9")
                : flow(family, "fd00:a:b:c::5", "2001:db8:1:7a9c::9");
    }

    private static Flow flow(int family, String saddr, String daddr) {
        return flow(family, Address.parse(saddr), Address.parse(daddr));
    }

    private static Flow flow(int family, Address saddr, Address daddr) {
        Flow flow = new Flow();
        flow.family = family;
        flow.saddrHigh = saddr.high();
        flow.saddrLow = saddr.low();
        flow.daddrHigh = daddr.high();
        flow.daddrLow = daddr.low();
        flow.protocol = IpProtocol.UDP;
        flow.sport = LOCAL_PORT;
        flow.dport = 4500;
        return flow;
    }

    private static PolicySpec between(Flow flow, int daddrBits, int saddrBits, Direction direction, int priority) {
        return spec(flow, daddrBits, saddrBits, 0, direction, priority);
    }

    private static PolicySpec spec(
            Flow flow, int daddrBits, int saddrBits, int sport, Direction direction, int priority) {
        return PolicySpec.builder()
                .selector(Selector.of(flow.family)
                        .saddr(flow.saddr().prefix(saddrBits), saddrBits)
                        .daddr(flow.daddr().prefix(daddrBits), daddrBits)
                        .sport(sport, sport == 0 ? 0 : 0xffff)
                        .build())
                .direction(direction)
                .priority(priority)
                .build();
    }

    private Policy[] ruledByAny(Direction direction, int family) {
        return new Policy[] {spd.replace(spec(flow(family), 0, 0, LOCAL_PORT, direction, FOUND), 0)};
    }

    private PolicyFreshness freshness(Direction direction, Flow flow) {
        return new PolicyFreshness(spd, sockets, direction, flow);
    }

    /** Every pair of lengths, and so every level. */
    @ParameterizedTest(name = "{0} bits, a flow of dir {1}, a policy of dir {2}")
    @CsvSource({
        "32, OUT, OUT",
        "32, IN, IN",
        "32, FWD, FWD",
        "32, FWD, IN",
        "128, OUT, OUT",
        "128, IN, IN",
        "128, FWD, FWD",
        "128, FWD, IN"
    })
    void shouldNotHoldWhenAPolicyOfAnyPrefixesComes(int bits, Direction asked, Direction added) {
        Flow flow = flow(bits == 32 ? AddressFamily.INET : AddressFamily.INET6);
        Policy[] found = ruledByAny(asked, flow.family);
        for (int daddrBits = 0; daddrBits <= bits; daddrBits++) {
            for (int saddrBits = 0; saddrBits <= bits; saddrBits++) {
                PolicyFreshness freshness = freshness(asked, flow);
                assertTrue(freshness.holds(flow, found));
                Policy better = spd.add(between(flow, daddrBits, saddrBits, added, ADDED), 0);
                assertFalse(freshness.holds(flow, found), better::toString);
                spd.remove(better);
                assertTrue(freshness(asked, flow).holds(flow, found));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"OUT, IN", "OUT, FWD", "IN, OUT", "IN, FWD", "FWD, OUT"})
    void shouldHoldWhenAPolicyOfADirectionComesThatIsNotAsked(Direction asked, Direction added) {
        Flow flow = flow(AddressFamily.INET);
        Policy[] found = ruledByAny(asked, flow.family);
        PolicyFreshness freshness = freshness(asked, flow);
        spd.add(between(flow, 32, 32, added, ADDED), 0);
        spd.add(between(flow, 0, 0, added, ADDED), 0);
        assertTrue(freshness.holds(flow, found));
    }

    @Test
    void shouldHoldWhenAPolicyOfTheOtherFamilyComes() {
        Flow flow = flow(AddressFamily.INET);
        Policy[] found = ruledByAny(Direction.OUT, flow.family);
        PolicyFreshness freshness = freshness(Direction.OUT, flow);
        spd.add(between(flow(AddressFamily.INET6), 0, 0, Direction.OUT, ADDED), 0);
        assertTrue(freshness.holds(flow, found));
    }

    /** Hosts of one network, networks of one larger one, on one side or both: a flow hardly sees another's. */
    @ParameterizedTest(name = "{0} bits: /{1} and /{2}")
    @CsvSource({
        "32, 32, 32",
        "32, 24, 24",
        "32, 16, 16",
        "32, 0, 32",
        "32, 32, 0",
        "32, 0, 24",
        "32, 24, 0",
        "32, 24, 32",
        "32, 16, 24",
        "32, 8, 32",
        "128, 128, 128",
        "128, 64, 64",
        "128, 32, 32",
        "128, 48, 48",
        "128, 0, 128",
        "128, 128, 0",
        "128, 0, 64",
        "128, 56, 128",
        "128, 32, 48"
    })
    void shouldHoldAmongThousandsOfPoliciesNextDoor(int bits, int daddrBits, int saddrBits) {
        Flow flow = flow(bits == 32 ? AddressFamily.INET : AddressFamily.INET6);
        Policy[] found = ruledByAny(Direction.OUT, flow.family);
        PolicyFreshness freshness = freshness(Direction.OUT, flow);
        for (int i = 1; i <= CHANGES; i++) {
            Flow other =
                    flow(flow.family, neighbour(flow.saddr(), saddrBits, i), neighbour(flow.daddr(), daddrBits, i));
            spd.replace(between(other, daddrBits, saddrBits, Direction.OUT, ADDED), 0);
        }
        assertTrue(freshness.holds(flow, found));
        assertSame(found[0], spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow));
    }

    /** An address in another network of the same size; there are few large ones. */
    private static Address neighbour(Address address, int prefixBits, long number) {
        if (prefixBits < 16) {
            return address;
        }
        return prefixBits <= Long.SIZE
                ? new Address(address.high() ^ number << Long.SIZE - prefixBits, address.low())
                : new Address(address.high(), address.low() ^ number << 2 * Long.SIZE - prefixBits);
    }

    /** Of a thousand policies of any prefixes between two looks some rule a flow; it asks for little else. */
    @Test
    void shouldHardlyEverAskInVainAmongRandomPolicies() {
        int flows = 100;
        Flow[] flow = new Flow[flows];
        PolicyFreshness[] kept = new PolicyFreshness[flows];
        Policy[][] found = new Policy[flows][];
        int looks = 0;
        int inVain = 0;
        spd.add(between(flow(AddressFamily.INET), 0, 0, Direction.OUT, -1), 0);
        for (int round = 0; round < 60; round++) {
            for (int i = 0; i < flows; i++) {
                flow[i] = round == 0 ? flow(AddressFamily.INET, address(), address()) : flow[i];
                Policy[] rules = {spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow[i])};
                boolean same = round > 0 && rules[0] == found[i][0];
                boolean holds = round > 0 && kept[i].holds(flow[i], found[i]);
                assertTrue(same || !holds, "a better one was missed");
                looks++;
                inVain += same && !holds ? 1 : 0;
                kept[i] = holds ? kept[i] : freshness(Direction.OUT, flow[i]);
                found[i] = rules;
            }
            for (int i = 0; i < 1000; i++) {
                Flow other = flow(AddressFamily.INET, address(), address());
                spd.replace(between(other, random.nextInt(33), random.nextInt(33), Direction.OUT, random.nextInt()), 0);
            }
        }
        assertTrue(inVain < looks / 20, inVain + " of " + looks);
    }

    private Address address() {
        return Address.ofIpv4(random.nextInt());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldHoldUntilMoreHaveComeToItsPlaceThanItCompares(int tooMany) {
        Flow flow = flow(AddressFamily.INET);
        Policy[] found = ruledByAny(Direction.OUT, flow.family);
        PolicyFreshness freshness = freshness(Direction.OUT, flow);
        for (int look = 0; look < 3; look++) {
            for (int i = 0; i < PolicyFreshness.MOST_COMPARED + tooMany; i++) {
                spd.replace(spec(flow, 32, 32, 1000 + 100 * look + i, Direction.OUT, ADDED), 0);
            }
            assertEquals(tooMany == 0, freshness.holds(flow, found));
        }
    }

    /** What came to a flow's stripe is forgotten, but not that something came. */
    @Test
    void shouldNotHoldWhenWhatCameIsNotKeptAnyMore() {
        Flow flow = flow(AddressFamily.INET);
        Policy[] found = ruledByAny(Direction.OUT, flow.family);
        PolicyFreshness freshness = freshness(Direction.OUT, flow);
        Policy better = spd.add(between(flow, 24, 0, Direction.OUT, ADDED), 0);
        PolicySpec elsewhere = between(flow(AddressFamily.INET6), 64, 64, Direction.OUT, ADDED);
        for (int i = 0; i < PolicyChanges.KEPT; i++) {
            spd.replace(elsewhere, 0);
        }
        assertFalse(freshness.holds(flow, found), better::toString);
    }

    @Test
    void shouldHoldHoweverManyHaveComeElsewhere() {
        Flow flow = flow(AddressFamily.INET);
        Policy[] found = ruledByAny(Direction.OUT, flow.family);
        PolicyFreshness freshness = freshness(Direction.OUT, flow);
        PolicySpec elsewhere = between(flow(AddressFamily.INET, "10.1.0.1", "10.2.0.1"), 24, 24, Direction.OUT, ADDED);
        for (int i = 0; i < 2 * PolicyChanges.KEPT; i++) {
            spd.replace(elsewhere, 0);
        }
        assertTrue(freshness.holds(flow, found));
    }

    @ParameterizedTest
    @CsvSource({"OUT, 2", "IN, 2", "FWD, 2", "OUT, 10", "IN, 10", "FWD, 10"})
    void shouldNotHoldWhenTheDefaultOfADirectionChanges(Direction direction, int family) {
        Flow flow = flow(family);
        PolicyFreshness freshness = freshness(direction, flow);
        assertTrue(freshness.holds(flow, new Policy[0]));
        spd.setDefaultAction(direction, PolicySpec.Action.BLOCK);
        assertFalse(freshness.holds(flow, new Policy[0]));
    }

    @ParameterizedTest
    @CsvSource({
        "OUT, 500, false",
        "OUT, 4500, true",
        "IN, 4500, false",
        "IN, 500, true",
        "FWD, 500, true",
        "FWD, 4500, true"
    })
    void shouldNotHoldWhenASocketOfItsPortChanges(Direction direction, int port, boolean holds) {
        Flow flow = flow(AddressFamily.INET);
        PolicyFreshness freshness = freshness(direction, flow);
        sockets.setEncapsulation(
                "test", 1, new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, port), 2);
        assertEquals(holds, freshness.holds(flow, new Policy[0]));
    }
}
