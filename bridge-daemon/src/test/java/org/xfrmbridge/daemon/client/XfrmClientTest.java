package org.xfrmbridge.daemon.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.control.ServedBridge;
import org.xfrmbridge.example.XfrmExample;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.km.XfrmService.HashThresholds;
import org.xfrmbridge.km.XfrmService.PolicyCounts;
import org.xfrmbridge.km.XfrmService.ReplayUpdate;
import org.xfrmbridge.netlink.client.PolicyEntry;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvent;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpecBuilder;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** XfrmClient against the control side of a bridge, over its socket. */
@Timeout(30)
class XfrmClientTest {
    private static final Address LEFT = Address.parse("192.0.2.1");
    private static final Address RIGHT = Address.parse("192.0.2.2");
    private static final int WAIT_MS = 5000;

    @TempDir
    private Path directory;

    private ServedBridge bridge;
    private XfrmClient client;

    @BeforeEach
    void start() throws IOException {
        bridge = new ServedBridge(directory);
        client = Clients.xfrmOfBridge(directory);
    }

    @AfterEach
    void stop() {
        client.close();
        bridge.close();
    }

    private static StateSpecBuilder state(int spi) {
        return StateSpec.builder()
                .id(new StateId(RIGHT, spi, IpProtocol.ESP))
                .saddr(LEFT)
                .selector(Selector.any(AddressFamily.INET))
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]));
    }

    private static StateKey key(StateSpec spec) {
        return new StateKey(spec.id(), spec.family(), Mark.NONE, null);
    }

    private static PolicySpecBuilder policy(int priority) {
        return PolicySpec.builder()
                .priority(priority)
                .templates(List.of(Template.builder()
                        .id(new StateId(RIGHT, 0, IpProtocol.ESP))
                        .family(AddressFamily.INET)
                        .saddr(LEFT)
                        .reqid(7)
                        .mode(Mode.TUNNEL)
                        .build()));
    }

    private static PolicyKey key(PolicySpec spec) {
        return new PolicyKey(spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), null);
    }

    @Test
    void shouldGetBackAllThatItSaysOfAState() throws IOException {
        StateSpecBuilder all = state(0x1000)
                .aead(null)
                .auth(new Algorithm("hmac(sha256)", 256, 96, new byte[32]))
                .authTruncated(true)
                .cipher(new Algorithm("cbc(aes)", 128, 0, new byte[16]))
                .encapsulation(new Encapsulation(2, 4500, 4501, Address.ANY))
                .flags(StateFlags.ESN)
                .reqid(9)
                .mark(new Mark(5, 0xff))
                .outputMark(new Mark(6, 0xff))
                .ifId(3)
                .tfcPadBytes(100)
                .given(StateSpec.GIVEN_TFC_PAD | StateSpec.GIVEN_REPLAY_BITMAP)
                .replay(new ReplayState(1, 2, 0, 0, 64, new int[2]));
        StateSpec spec = all.build();

        client.addState(spec);
        StateEntry entry = client.state(new StateKey(spec.id(), spec.family(), new Mark(5, 0xff), null));

        assertEquals(spec, entry.spec());
        assertEquals(0, entry.current().packets());
        assertTrue(entry.current().addSeconds() > 1_600_000_000L);
        assertEquals(1, client.stateCount());
    }

    @Test
    void shouldSayWhyARequestWasRefused() throws IOException {
        StateSpec spec = state(0x1000).build();
        client.addState(spec);

        RefusedException again = assertThrows(RefusedException.class, () -> client.addState(spec));
        assertTrue(again.is(Errno.EEXIST), again.getMessage());
        assertTrue(again.getMessage().startsWith("XFRM_MSG_NEWSA: EEXIST"), again.getMessage());

        StateSpecBuilder unknown = state(0x1001).aead(new Algorithm("rfc4106(gcm(rot13))", 160, 128, new byte[20]));
        RefusedException refused = assertThrows(RefusedException.class, () -> client.addState(unknown.build()));
        assertTrue(refused.is(Errno.ENOSYS), refused.getMessage());
        assertTrue(refused.explanation().length() > 10, refused.explanation());
    }

    @Test
    void shouldReadADumpAsFarAsItIsWanted() throws IOException {
        for (int i = 0; i < 3000; i++) {
            client.addState(state(0x1000 + i).build());
        }
        try (Stream<StateEntry> states = client.states()) {
            assertEquals(
                    3000,
                    states.map(entry -> entry.spec().id().spi()).distinct().count());
        }
        try (Stream<StateEntry> states = client.states()) {
            // Other requests may be made meanwhile, also of what is listed.
            states.limit(5).forEach(entry -> assertEquals(entry.spec(), get(entry)));
        }
        client.flushStates(0);
        assertEquals(0, client.stateCount());
    }

    private StateSpec get(StateEntry entry) {
        try {
            return client.state(key(entry.spec())).spec();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldCompleteAStateWithAnAllocatedSpi() throws IOException {
        StateSpecBuilder larval = state(0).aead(null);
        StateEntry allocated = client.allocateSpi(larval.build(), 0x100, 0x1ff);
        int spi = allocated.spec().id().spi();
        assertTrue(spi >= 0x100 && spi <= 0x1ff, Integer.toHexString(spi));

        StateSpec whole = state(spi).build();
        client.updateState(whole);

        assertEquals(whole.aead(), client.state(key(whole)).spec().aead());
        client.deleteState(key(whole));
        assertEquals(0, client.stateCount());
    }

    @Test
    void shouldMoveCountersFromOneStateToAnother() throws IOException {
        StateSpecBuilder spec = state(0x1000).replayWindow(32);
        client.addState(spec.build());
        StateKey key = key(spec.build());
        ReplayState replay = new ReplayState(10, 20, 0, 0, 0, new int[] {1});
        StateSpec.LifetimeCurrent usage = new StateSpec.LifetimeCurrent(1000, 10, 0, 0);

        client.updateReplay(
                new ReplayUpdate(key, 0, replay, null, usage, StateSpec.ABSENT, StateSpec.ABSENT, 70, true));

        assertEquals(replay, client.replay(key).replay());
        assertEquals(10, client.replay(key).current().packets());
    }

    @Test
    void shouldGetBackAllThatItSaysOfAPolicy() throws IOException {
        PolicySpec spec = policy(100).build();
        client.addPolicy(spec);
        PolicySpec kept = client.policy(key(spec)).spec();
        assertEquals(spec, kept.withIndex(0));

        client.updatePolicy(policy(50).build());
        try (Stream<PolicyEntry> policies = client.policies()) {
            assertEquals(
                    List.of(50), policies.map(entry -> entry.spec().priority()).toList());
        }
        client.expirePolicy(spec, false);
        client.deletePolicy(key(spec));
        assertTrue(assertThrows(RefusedException.class, () -> client.policy(key(spec)))
                .is(Errno.ENOENT));
        client.flushPolicies(PolicySpec.Type.MAIN);
    }

    @Test
    void shouldCountPoliciesAndKeepThresholds() throws IOException {
        client.addPolicy(policy(1).build());
        client.setHashThresholds(new HashThresholds(16, 24), new HashThresholds(64, 48));
        PolicyCounts counts = client.policyCounts();
        assertEquals(1, counts.global()[policy(1).direction().number()]);
        assertEquals(1, Arrays.stream(counts.global()).sum());
        assertEquals(0, Arrays.stream(counts.socket()).sum());
        assertEquals(new HashThresholds(16, 24), counts.ipv4());
        assertEquals(new HashThresholds(64, 48), counts.ipv6());
        client.flushPolicies(PolicySpec.Type.MAIN);
    }

    @Test
    void shouldHearOfEverythingThatHappens() throws IOException {
        StateSpec state = state(0x1000).build();
        PolicySpec policy = policy(1).build();
        try (XfrmEvents events = client.events(
                XfrmMessage.GROUP_SA, XfrmMessage.GROUP_POLICY, XfrmMessage.GROUP_EXPIRE, XfrmMessage.GROUP_MIGRATE)) {
            client.addState(state);
            assertEquals(
                    Change.NEW,
                    assertInstanceOf(XfrmEvent.StateChanged.class, events.next(WAIT_MS))
                            .change());
            client.expireState(state, false);
            assertEquals(
                    state.id(),
                    assertInstanceOf(XfrmEvent.StateExpired.class, events.next(WAIT_MS))
                            .state()
                            .id());
            client.addPolicy(policy);
            var added = assertInstanceOf(XfrmEvent.PolicyChanged.class, events.next(WAIT_MS));
            assertEquals(policy, added.policy().spec().withIndex(0));
            Migration migration = migration();
            client.migrate(migration);
            assertEquals(List.of(), missing(events, migration));
            client.deleteState(
                    new StateKey(new StateId(LEFT, 0x1000, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null));
            assertEquals(
                    Change.DELETE,
                    assertInstanceOf(XfrmEvent.StateChanged.class, events.next(WAIT_MS))
                            .change());
            client.setDefaults(new Defaults(1, 1, 2));
            assertEquals(new XfrmEvent.DefaultsChanged(new Defaults(1, 1, 2)), events.next(WAIT_MS));
            client.deletePolicy(key(policy));
            assertEquals(
                    Change.DELETE,
                    assertInstanceOf(XfrmEvent.PolicyChanged.class, events.next(WAIT_MS))
                            .change());
            client.flushStates(0);
            client.flushPolicies(PolicySpec.Type.MAIN);
            assertNull(events.next(0), "nothing was there to be flushed");
        }
        assertEquals(new Defaults(1, 1, 2), client.defaults());
    }

    private static Migration migration() {
        Migration.Move move = new Migration.Move(
                RIGHT,
                LEFT,
                LEFT,
                RIGHT,
                IpProtocol.ESP,
                Mode.TUNNEL.number(),
                0,
                AddressFamily.INET,
                AddressFamily.INET);
        return new Migration(PolicySpec.builder().selector(), 1, PolicySpec.Type.MAIN, List.of(move), null, null, 0);
    }

    /** Reads up to the event of a migration, and returns the moves that it lacks. */
    private static List<Migration.Move> missing(XfrmEvents events, Migration migration) throws IOException {
        for (XfrmEvent event = events.next(WAIT_MS); event != null; event = events.next(WAIT_MS)) {
            if (event instanceof XfrmEvent.Migrated migrated) {
                return migration.moves().stream()
                        .filter(move -> !migrated.migration().moves().contains(move))
                        .toList();
            }
        }
        return migration.moves();
    }

    @Test
    void shouldBeToldOfLostEventsAndGoOn() throws IOException {
        try (XfrmEvents events = client.events(XfrmMessage.GROUP_EXPIRE)) {
            StateSpec spec = state(0x1000).build();
            client.addState(spec);
            events.setReceiveBuffer(4096);
            for (int i = 0; i < 100; i++) {
                client.expireState(spec, false);
            }
            int read = 0;
            while (events.next(WAIT_MS) instanceof XfrmEvent.StateExpired) {
                read++;
            }
            assertTrue(read > 1 && read < 20, read + " of 100 events fit into 8 KB");
            client.expireState(spec, false);
            assertInstanceOf(XfrmEvent.StateExpired.class, events.next(WAIT_MS));
        }
    }

    @Test
    void shouldMoveOneState() throws IOException {
        StateSpec spec = state(0x1000).build();
        client.addState(spec);
        Address elsewhere = Address.parse("192.0.2.7");
        StateMigration migration = StateMigration.builder()
                .state(key(spec))
                .daddr(elsewhere)
                .saddr(LEFT)
                .family(AddressFamily.INET)
                .selector(spec.selector())
                .reqid(5)
                .outputMark(new Mark(1, 1))
                .build();
        try (XfrmEvents events = client.events(XfrmMessage.GROUP_MIGRATE)) {
            client.migrateState(migration);
            assertEquals(
                    elsewhere,
                    assertInstanceOf(XfrmEvent.StateMigrated.class, events.next(WAIT_MS))
                            .move()
                            .newDaddr());
        }

        StateSpec moved = client.state(new StateKey(new StateId(elsewhere, 0x1000, IpProtocol.ESP), 2, Mark.NONE, null))
                .spec();

        assertEquals(List.of(5, 1), List.of(moved.reqid(), moved.outputMark().value()));
    }

    @Test
    void shouldDoWhatTheReadmeShows() throws IOException {
        PrintStream out = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            XfrmExample.main(directory.toString());
        } finally {
            System.setOut(out);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.startsWith("StateChanged[change=NEW"), text);
        assertTrue(text.endsWith("192.0.2.2 spi 0x00001000 protocol 50: 0 packets\n"), text);
        assertEquals(0, client.stateCount());
    }
}
