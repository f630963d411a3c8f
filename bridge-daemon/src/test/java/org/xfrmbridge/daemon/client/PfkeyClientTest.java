package org.xfrmbridge.daemon.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.control.ServedBridge;
import org.xfrmbridge.example.PfkeyExample;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyEvents;
import org.xfrmbridge.pfkey.client.PfkeyMessage;
import org.xfrmbridge.pfkey.client.PfkeyPolicy;
import org.xfrmbridge.pfkey.client.PfkeyState;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbLifetime;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.msg.SadbSpirange;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXNatTPort;
import org.xfrmbridge.pfkey.msg.SadbXNatTType;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.SadbXSa2;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** PfkeyClient against the control side of a bridge, over its socket. */
@Timeout(30)
class PfkeyClientTest {
    private static final SadbAddress LEFT = PfkeyClient.host(AddressFamily.INET, Address.parse("192.0.2.1"));
    private static final SadbAddress RIGHT = PfkeyClient.host(AddressFamily.INET, Address.parse("192.0.2.2"));
    private static final int WAIT_MS = 5000;
    private static final int TUNNEL = 2;
    private static final int OUTBOUND = 2;

    @TempDir
    private Path directory;

    private ServedBridge bridge;
    private PfkeyClient client;

    @BeforeEach
    void start() throws IOException {
        bridge = new ServedBridge(directory);
        client = Clients.pfkeyOfBridge(directory);
    }

    @AfterEach
    void stop() {
        client.close();
        bridge.close();
    }

    private static PfkeyState.Builder state(int spi) {
        PfkeyState.Builder state = new PfkeyState.Builder();
        state.satype = Satype.ESP;
        state.sa = new SadbSa(spi, 32, SadbSa.MATURE, 5, 12, 0);
        state.source = LEFT;
        state.destination = RIGHT;
        state.auth = new SadbKey(256, new byte[32]);
        state.encrypt = new SadbKey(128, new byte[16]);
        return state;
    }

    private static PfkeyState named(int spi) {
        return PfkeyState.named(Satype.ESP, spi, LEFT, RIGHT);
    }

    private static PfkeyPolicy policy(int priority) {
        SadbAddress source = new SadbAddress(255, 24, new Sockaddr(AddressFamily.INET, 0, Address.parse("10.1.0.0")));
        SadbAddress destination =
                new SadbAddress(255, 24, new Sockaddr(AddressFamily.INET, 0, Address.parse("10.2.0.0")));
        SadbXIpsecrequest esp = new SadbXIpsecrequest(50, 1, SadbXIpsecrequest.REQUIRE, 0, ByteBuffer.allocate(0));
        return new PfkeyPolicy(
                new SadbXPolicy(SadbXPolicy.IPSEC, OUTBOUND, 0, priority, List.of(esp)), source, destination);
    }

    @Test
    void shouldGetBackAllThatItSaysOfAState() throws IOException {
        PfkeyState.Builder all = state(0x1000);
        all.hard = new SadbLifetime(10, 1000, 100, 50);
        all.soft = new SadbLifetime(5, 500, 60, 30);
        all.sa2 = new SadbXSa2(TUNNEL, 0, 7);
        all.encapsulation = new SadbXNatTType(2);
        all.sourcePort = new SadbXNatTPort(4500);
        all.destinationPort = new SadbXNatTPort(4501);
        PfkeyState said = all.build();

        client.add(said);
        PfkeyState kept = client.get(named(0x1000));

        assertEquals(said.sa(), kept.sa());
        assertEquals(List.of(said.hard(), said.soft()), List.of(kept.hard(), kept.soft()));
        assertEquals(List.of(said.source(), said.destination()), List.of(kept.source(), kept.destination()));
        assertEquals(List.of(TUNNEL, 7), List.of(kept.sa2().mode(), kept.sa2().reqid()));
        assertEquals(
                List.of(said.encapsulation(), said.sourcePort(), said.destinationPort()),
                List.of(kept.encapsulation(), kept.sourcePort(), kept.destinationPort()));
        assertEquals(256, kept.auth().bits());
        try (XfrmClient xfrm = Clients.xfrmOfBridge(directory);
                Stream<StateEntry> states = xfrm.states()) {
            assertEquals(List.of(7), states.map(entry -> entry.spec().reqid()).toList(), "netlink sees the same");
        }
    }

    @Test
    void shouldSayWhyARequestWasRefused() throws IOException {
        client.add(state(0x1000).build());
        RefusedException again = assertThrows(
                RefusedException.class, () -> client.add(state(0x1000).build()));
        assertEquals("SADB_ADD: EEXIST", again.getMessage());
        assertTrue(assertThrows(RefusedException.class, () -> client.get(named(0x1001)))
                .is(Errno.ESRCH));
    }

    @Test
    void shouldReadADumpAsFarAsItIsWanted() throws IOException {
        try (Stream<PfkeyState> none = client.states(Satype.UNSPEC)) {
            assertEquals(0, none.count());
        }
        for (int i = 0; i < 1000; i++) {
            client.add(state(0x1000 + i).build());
        }
        try (Stream<PfkeyState> states = client.states(Satype.ESP)) {
            assertEquals(1000, states.map(state -> state.sa().spi()).distinct().count());
        }
        try (Stream<PfkeyState> states = client.states(Satype.ESP)) {
            assertEquals(3, states.limit(3).count());
        }
        client.flush(Satype.UNSPEC);
        try (Stream<PfkeyState> none = client.states(Satype.UNSPEC)) {
            assertEquals(0, none.count());
        }
    }

    @Test
    void shouldCompleteAStateWithAnAllocatedSpi() throws IOException {
        int spi = client.getSpi(Satype.ESP, LEFT, RIGHT, new SadbSpirange(0x100, 0x1ff))
                .sa()
                .spi();
        assertTrue(spi >= 0x100 && spi <= 0x1ff, Integer.toHexString(spi));

        client.update(state(spi).build());

        assertEquals(SadbSa.MATURE, client.get(named(spi)).sa().state());
        client.delete(named(spi));
        assertThrows(RefusedException.class, () -> client.get(named(spi)));
    }

    @Test
    void shouldKeepPolicies() throws IOException {
        client.addPolicy(policy(9));
        client.updatePolicy(policy(8));

        PfkeyPolicy kept;
        try (Stream<PfkeyPolicy> policies = client.policies()) {
            kept = policies.findFirst().orElseThrow();
        }
        assertEquals(8, kept.policy().priority());
        assertEquals(50, kept.policy().requests().getFirst().proto());
        assertEquals(
                kept.policy().id(),
                client.policy(kept.policy().id(), OUTBOUND).policy().id());
        client.deletePolicy(policy(8));
        assertTrue(assertThrows(
                        RefusedException.class,
                        () -> client.policy(kept.policy().id(), OUTBOUND))
                .is(Errno.ENOENT));
        client.flushPolicies();
    }

    @Test
    void shouldHearWhatOthersDo() throws IOException {
        try (PfkeyEvents events = client.events(Satype.ESP);
                XfrmClient xfrm = Clients.xfrmOfBridge(directory)) {
            client.add(state(0x1000).build());
            PfkeyMessage added = events.next(WAIT_MS);
            assertEquals(SadbType.ADD, added.header().type());
            assertEquals(0x1000, added.state().sa().spi());
            client.addPolicy(policy(1));
            assertEquals(1, events.next(WAIT_MS).policy().policy().priority());
            try (Stream<StateEntry> states = xfrm.states()) {
                xfrm.expireState(states.findFirst().orElseThrow().spec(), true);
            }
            PfkeyMessage expired = events.next(WAIT_MS);
            assertEquals(SadbType.EXPIRE, expired.header().type());
            assertTrue(expired.has(SadbExt.LIFETIME_HARD));
        }
    }

    @Test
    void shouldListAlgorithms() throws IOException {
        PfkeyMessage answer = client.algorithms();
        assertTrue(answer.supported(SadbExt.SUPPORTED_ENCRYPT).algs().stream()
                .anyMatch(alg -> alg.id() == 12 && alg.maxbits() == 256));
        assertFalse(answer.supported(SadbExt.SUPPORTED_AUTH).algs().isEmpty());
        assertNull(answer.proposal());
    }

    @Test
    void shouldLoseNewsQuietlyAndNoDumpWhenItDoesNotRead() throws IOException {
        try (PfkeyEvents events = client.events()) {
            events.setReceiveBuffer(4096);
            for (int i = 0; i < 200; i++) {
                client.add(state(0x1000 + i).build());
            }
            // The last answer may come before others have heard: after one more, they have.
            client.get(named(0x1000));
            int read = 0;
            for (PfkeyMessage next = events.next(0); next != null; next = events.next(0)) {
                read++;
            }
            assertTrue(read > 1 && read < 20, read + " of 200 messages fit into 8 KB");
            client.delete(named(0x1000));
            assertEquals(SadbType.DELETE, events.next(WAIT_MS).header().type());
            try (Stream<PfkeyState> states = client.states(Satype.ESP)) {
                assertEquals(199, states.count());
            }
        }
    }

    @Test
    void shouldDoWhatTheExampleShows() throws IOException {
        PrintStream out = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            PfkeyExample.main(directory.toString());
        } finally {
            System.setOut(out);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.startsWith("PfkeyState[satype=3, sa=SadbSa[spi=4096"), text);
        assertTrue(text.endsWith("flags=0]: 0 packets\n"), text);
    }
}
