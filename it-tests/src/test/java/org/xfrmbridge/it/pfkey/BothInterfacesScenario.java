package org.xfrmbridge.it.pfkey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvent;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyEvents;
import org.xfrmbridge.pfkey.client.PfkeyState;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * Why: netlink and PF_KEY are two ways to one database. Topology: one host, a client and a listener of each. Steps: an
 * SA is added through one, and listed, updated, expired and deleted through the other. Expected: each side's listener
 * hears of every step. That a kernel does so, too, is what the conformance runs compare.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class BothInterfacesScenario {
    private static final int WAIT_MS = 5000;
    private static final int SPI = 0x1000;
    private static final int AES_CBC = 12;
    private static final int HMAC_SHA1 = 3;
    private static final Address HERE = Address.parse("192.0.2.1");
    private static final Address THERE = Address.parse("192.0.2.2");
    private static final SadbAddress SOURCE = PfkeyClient.host(AddressFamily.INET, HERE);
    private static final SadbAddress DESTINATION = PfkeyClient.host(AddressFamily.INET, THERE);
    private static final PfkeyState PFKEY_NAME = PfkeyState.named(Satype.ESP, SPI, SOURCE, DESTINATION);
    private static final StateKey NETLINK_NAME =
            new StateKey(new StateId(THERE, SPI, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null);

    private Scene scene;
    private XfrmClient netlink;
    private XfrmEvents netlinkEvents;
    private PfkeyClient pfkey;
    private PfkeyEvents pfkeyEvents;

    @BeforeEach
    void open() throws IOException {
        scene = new Scene("both-interfaces");
        Namespace host = new Namespace(scene, "host");
        Namespace.connect(host, Gateway.DEVICE, new Namespace(scene, "wire"), "left");
        BridgeProcess bridge = BridgeProcess.start(scene, host);
        netlink = Clients.xfrmOfBridge(bridge.directory());
        netlinkEvents = netlink.events(XfrmMessage.GROUP_SA, XfrmMessage.GROUP_EXPIRE);
        pfkey = Clients.pfkeyOfBridge(bridge.directory());
        pfkeyEvents = pfkey.events(Satype.ESP);
    }

    @AfterEach
    void close() {
        pfkeyEvents.close();
        pfkey.close();
        netlinkEvents.close();
        netlink.close();
        scene.close();
    }

    private static StateSpecBuilder spec() {
        return StateSpec.builder()
                .id(NETLINK_NAME.id())
                .saddr(HERE)
                .family(AddressFamily.INET)
                .mode(Mode.TRANSPORT);
    }

    private static StateSpec separate() {
        return spec().cipher(new Algorithm("cbc(aes)", 128, 0, new byte[16]))
                .auth(new Algorithm("hmac(sha1)", 160, 0, new byte[20]))
                .build();
    }

    private static PfkeyState pfkeyState() {
        PfkeyState.Builder state = new PfkeyState.Builder();
        state.satype = Satype.ESP;
        state.sa = new SadbSa(SPI, 32, SadbSa.MATURE, HMAC_SHA1, AES_CBC, 0);
        state.source = SOURCE;
        state.destination = DESTINATION;
        state.auth = new SadbKey(160, new byte[20]);
        state.encrypt = new SadbKey(128, new byte[16]);
        return state.build();
    }

    private void assertHeard(Change netlinkChange, int pfkeyType) throws IOException {
        XfrmEvent event = netlinkEvents.next(WAIT_MS);
        assertEquals(
                netlinkChange,
                assertInstanceOf(XfrmEvent.StateChanged.class, event).change());
        assertEquals(pfkeyType, pfkeyEvents.next(WAIT_MS).header().type());
    }

    private void assertHeardOfExpiry(boolean hard) throws IOException {
        XfrmEvent event = netlinkEvents.next(WAIT_MS);
        assertEquals(hard, assertInstanceOf(XfrmEvent.StateExpired.class, event).hard());
        var message = pfkeyEvents.next(WAIT_MS);
        assertEquals(SadbType.EXPIRE, message.header().type());
        assertEquals(hard, message.has(SadbExt.LIFETIME_HARD));
    }

    @Test
    void shouldBeSeenThroughPfkeyWhatNetlinkDoes() throws IOException {
        netlink.addState(separate());
        assertHeard(Change.NEW, SadbType.ADD);
        try (Stream<PfkeyState> all = pfkey.states(Satype.UNSPEC)) {
            assertEquals(SPI, all.findFirst().orElseThrow().sa().spi());
        }
        pfkey.update(pfkeyState());
        assertHeard(Change.UPDATE, SadbType.UPDATE);
        netlink.expireState(separate(), false);
        assertHeardOfExpiry(false);
        assertEquals(SPI, pfkey.get(PFKEY_NAME).sa().spi());
        pfkey.delete(PFKEY_NAME);
        assertHeard(Change.DELETE, SadbType.DELETE);
        assertThrows(RefusedException.class, () -> netlink.state(NETLINK_NAME));
    }

    @Test
    void shouldBeSeenThroughNetlinkWhatPfkeyDoes() throws IOException {
        pfkey.add(pfkeyState());
        assertHeard(Change.NEW, SadbType.ADD);
        try (Stream<StateEntry> all = netlink.states()) {
            assertEquals(
                    "cbc(aes)", all.findFirst().orElseThrow().spec().cipher().name());
        }
        netlink.updateState(separate());
        assertHeard(Change.UPDATE, SadbType.UPDATE);
        netlink.expireState(separate(), true);
        assertHeardOfExpiry(true);
        assertThrows(RefusedException.class, () -> pfkey.get(PFKEY_NAME));
        pfkey.add(pfkeyState());
        assertHeard(Change.NEW, SadbType.ADD);
        netlink.deleteState(NETLINK_NAME);
        assertHeard(Change.DELETE, SadbType.DELETE);
    }

    /** What PF_KEY has no words for: an AEAD and its key, extended numbers and their window, an interface, a mark. */
    @Test
    void shouldBeShownWithoutThemWhatPfkeyCannotSay() throws IOException {
        StateSpecBuilder spec = spec().aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                .flags(StateFlags.ESN)
                .replay(new ReplayState(0, 0, 0, 0, 1024, new int[32]))
                .ifId(7);
        netlink.addState(spec.build());

        PfkeyState shown = pfkey.get(PFKEY_NAME);

        assertEquals(new SadbSa(SPI, 0, SadbSa.MATURE, 0, 0, 0), shown.sa());
        assertNull(shown.encrypt());
        assertNull(shown.auth());
    }
}
