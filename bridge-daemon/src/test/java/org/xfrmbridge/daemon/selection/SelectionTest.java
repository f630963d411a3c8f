package org.xfrmbridge.daemon.selection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.Template;

class SelectionTest {
    private static final int INET = AddressFamily.INET;
    private static final int BRIDGES_BIT = 1 << 30;
    private static final int MS = 1_000_000;
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final int NET_10 = 0x0a00_0000;

    private final ManualClock clock = new ManualClock();
    private final Databases databases = new Databases();
    private final XfrmEngine engine = XfrmEngine.builder(databases, clock).build();
    private final SetTable table = new SetTable();
    private boolean barrier;
    private boolean stuck;
    private Selection selection;

    @BeforeEach
    void start() throws OsException {
        Selection.Barrier flag = new Selection.Barrier() {
            @Override
            public void close() {
                barrier = true;
            }

            @Override
            public void open() throws OsException {
                if (stuck) {
                    throw new OsException("open", OsException.ENOBUFS);
                }
                barrier = false;
            }
        };
        selection = new Selection(databases, table, flag, clock, ~BRIDGES_BIT);
        engine.listen(selection);
        selection.start();
        table.commits = 0;
    }

    private static PolicySpec to(int address, int prefix) {
        Selector selector = Selector.of(INET)
                .saddr(HERE, 32)
                .daddr(Address.ofIpv4(address), prefix)
                .build();
        return esp(selector);
    }

    private static PolicySpec esp(Selector selector) {
        Template template = Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(selector.family())
                .mode(Mode.TRANSPORT)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .templates(List.of(template))
                .build();
    }

    private Policy add(PolicySpec spec) throws XfrmException {
        return engine.addPolicy(spec, true, Origin.KERNEL);
    }

    private void delete(PolicySpec spec) throws XfrmException {
        engine.deletePolicy(
                new PolicyKey(spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), null),
                Origin.KERNEL);
    }

    private boolean isSelected(int daddr) {
        return table.selects(Direction.OUT, flow(daddr));
    }

    private static Flow flow(int daddr) {
        Flow flow = new Flow();
        flow.family = INET;
        flow.saddrHigh = HERE.high();
        flow.daddrHigh = Address.ofIpv4(daddr).high();
        flow.protocol = IpProtocol.TCP;
        flow.sport = 1000;
        flow.dport = 80;
        return flow;
    }

    private void pass(int ms) {
        for (int i = 0; i < ms; i++) {
            clock.advanceNs(MS);
            selection.afterEachRound();
        }
    }

    @Test
    void shouldNeitherBeWideNorLateWhenPoliciesComeOneByOne() throws XfrmException {
        for (int i = 1; i <= 40; i++) {
            add(to(NET_10 + (i << 8), 24));
            assertTrue(isSelected(NET_10 + (i << 8) + 7));
            assertFalse(isSelected(NET_10 + 7));
            assertEquals(i, table.commits);
            pass(11);
        }
    }

    /** What is forwarded may have it already. */
    @Test
    void shouldNotLookAtTheBridgesOwnBit() throws XfrmException {
        PolicySpec all = to(NET_10, 8);
        add(PolicySpec.builder()
                .selector(all.selector())
                .templates(all.templates())
                .mark(new Mark(5, -1))
                .build());
        Flow flow = flow(NET_10 + 7);
        flow.mark = 5;
        assertTrue(table.selects(Direction.OUT, flow));
        flow.mark |= BRIDGES_BIT;
        assertTrue(table.selects(Direction.OUT, flow));
        flow.mark = 6;
        assertFalse(table.selects(Direction.OUT, flow));
    }

    @Test
    void shouldPutABurstInAsOneBatch() throws XfrmException {
        for (int i = 0; i < 1000; i++) {
            add(to(NET_10 + i, 32));
            assertTrue(isSelected(NET_10 + i));
            clock.advanceNs(20_000);
            selection.afterEachRound();
        }
        assertEquals(24 + 1, table.commits);
        pass(49);
        assertTrue(table.isWide(Direction.OUT, INET));
        pass(2);
        assertEquals(24 + 2, table.commits);
        assertFalse(table.isWide(Direction.OUT, INET));
        assertTrue(isSelected(NET_10 + 999));
        assertFalse(isSelected(NET_10 + 1000));
    }

    @Test
    void shouldNeedAHandfulOfCommitsForAHundredThousandPolicies() throws XfrmException {
        for (int i = 0; i < 100_000; i++) {
            add(to(NET_10 + i, 32));
            assertTrue(isSelected(NET_10 + i));
            clock.advanceNs(20_000);
            selection.afterEachRound();
        }
        pass(100);
        assertTrue(table.commits <= 24 + 2 * 3, table.commits + " commits");
        table.assertWithin(16, 16_384);
    }

    /** Otherwise all unprotected packets would be slow for as long as somebody goes on. */
    @Test
    void shouldNotBeWideForMoreThanASecondAtATime() throws XfrmException {
        int longestMs = 0;
        int wideMs = 0;
        for (int i = 0; i < 5000; i++) {
            add(to(NET_10 + i, 32));
            pass(1);
            wideMs = table.isWide(Direction.OUT, INET) ? wideMs + 1 : 0;
            longestMs = Math.max(longestMs, wideMs);
        }
        assertTrue(longestMs > 900 && longestMs <= 1000, longestMs + " ms");
    }

    @Test
    void shouldTakeRemovalsInBatches() throws XfrmException {
        for (int i = 0; i < 8; i++) {
            add(to(NET_10 + i, 32));
        }
        pass(200);
        table.commits = 0;
        for (int i = 0; i < 8; i++) {
            delete(to(NET_10 + i, 32));
        }
        assertEquals(0, table.commits);
        pass(60);
        assertEquals(1, table.commits);
        assertTrue(table.isEmpty());
    }

    @Test
    void shouldCountPoliciesOfOneElement() throws XfrmException {
        add(to(NET_10, 30));
        add(to(NET_10, 29));
        assertEquals(1, table.commits);
        delete(to(NET_10, 30));
        pass(100);
        assertTrue(isSelected(NET_10));
        delete(to(NET_10, 29));
        pass(100);
        assertTrue(table.isEmpty());
    }

    @Test
    void shouldSelectNothingForWhatOnlyLetsPass() throws XfrmException {
        PolicySpec bypass = to(NET_10, 24).withTemplates(List.of());
        add(bypass);
        assertEquals(0, table.commits);
        engine.addPolicy(to(NET_10, 24), false, Origin.KERNEL);
        assertTrue(isSelected(NET_10));
        engine.addPolicy(bypass, false, Origin.KERNEL);
        pass(100);
        assertTrue(table.isEmpty());
    }

    @Test
    void shouldSelectEverythingWhileTheDefaultBlocks() throws XfrmException {
        engine.setDefaults(new XfrmService.Defaults(2, 2, 1), Origin.KERNEL);
        assertTrue(isSelected(1));
        assertTrue(table.isWide(Direction.OUT, AddressFamily.INET6));
        assertFalse(table.isWide(Direction.IN, INET));
        engine.setDefaults(new XfrmService.Defaults(2, 2, 2), Origin.KERNEL);
        pass(100);
        assertTrue(table.isEmpty());
    }

    @Test
    void shouldTakeUpWhatIsThereBeforeItStarts() throws Exception {
        Databases restored = new Databases();
        XfrmEngine before = XfrmEngine.builder(restored, clock).build();
        before.addPolicy(to(NET_10, 24), true, Origin.KERNEL);
        Selection late = new Selection(restored, table, null, clock, ~BRIDGES_BIT);
        before.setSocketPolicy(
                "owner",
                1,
                new LocalEndpoint(INET, IpProtocol.UDP, Address.ANY, 53),
                esp(Selector.any(INET)),
                Origin.Interface.NETLINK);
        assertEquals(0, table.commits);
        late.start();
        assertEquals(1, table.commits);
        assertTrue(isSelected(NET_10));
        assertEquals(2, table.levels().size());
    }

    @Test
    void shouldSelectAllWhenTheSetsCannotBeChanged() throws XfrmException {
        table.fail(1);
        add(to(NET_10, 24));
        assertTrue(table.isWide(Direction.OUT, INET));
        assertFalse(selection.isClosed());
        pass(1001);
        assertFalse(table.isWide(Direction.OUT, INET));
        assertTrue(isSelected(NET_10));
    }

    @Test
    void shouldCloseAndRefusePoliciesWhenTheTableCannotBeChangedAtAll() throws XfrmException {
        table.fail(4);
        add(to(NET_10, 24));
        assertTrue(barrier && selection.isClosed());
        XfrmException refusal = assertThrows(XfrmException.class, () -> add(to(NET_10, 16)));
        assertEquals(Errno.ENOSPC, refusal.errno());
        pass(3000);
        assertFalse(barrier || selection.isClosed());
        assertTrue(isSelected(NET_10));
        add(to(NET_10, 16));
    }

    @Test
    void shouldOpenAgainWhenThatHasFailed() throws XfrmException {
        table.fail(2);
        stuck = true;
        add(to(NET_10, 24));
        pass(3000);
        assertTrue(barrier && selection.isClosed());
        stuck = false;
        pass(1001);
        assertFalse(barrier || selection.isClosed());
    }

    /** A hundred thousand hosts of one network: the network, and not the world. */
    @Test
    void shouldKeepOtherTrafficOutWhenItIsMadeCoarser() throws XfrmException {
        for (int i = 0; i < 100_000; i++) {
            add(to(NET_10 + i, 32));
        }
        pass(100);
        assertFalse(isSelected(0x0b00_0000));
        assertFalse(isSelected(NET_10 + 0x0100_0000 - 1));
        assertTrue(table.elements() < 1000);
        for (int i = 100; i < 100_000; i++) {
            delete(to(NET_10 + i, 32));
        }
        pass(100);
        assertFalse(isSelected(NET_10 + 100));
        assertTrue(isSelected(NET_10 + 99));
        assertEquals(100, table.elements());
    }

    @Test
    void shouldMergeLevelsThatAreAlikeWhenThereAreTooMany() throws XfrmException {
        // With nothing that the others have.
        add(esp(Selector.of(INET).protocol(IpProtocol.UDP).dport(1701).build()));
        pass(20);
        for (int i = 0; i < 25; i++) {
            Selector selector = Selector.of(INET)
                    .saddr(HERE, 8 * (i % 5))
                    .daddr(Address.parse("10.1.2.3"), 8 * (1 + i / 5 % 4))
                    .protocol(i % 2 == 0 ? 0 : IpProtocol.TCP)
                    .build();
            engine.addPolicy(esp(selector), false, Origin.KERNEL);
            pass(20);
        }
        assertEquals(16, table.levels().size());
        assertTrue(isSelected(0x0a01_0203));
        assertFalse(isSelected(0x0b01_0203));
    }

    @Test
    void shouldSayWhyAllIsSelected() throws XfrmException {
        assertEquals(List.of(), selection.wideScopes());
        add(esp(Selector.of(INET).build()));
        assertEquals(
                List.of("out, IPv4: a policy is for all addresses, or there are too many to tell apart"),
                selection.wideScopes());
        engine.setDefaults(new XfrmService.Defaults(2, 2, 1), Origin.KERNEL);
        assertEquals(
                List.of("out, IPv4: a default verdict blocks", "out, IPv6: a default verdict blocks"),
                selection.wideScopes());
    }
}
