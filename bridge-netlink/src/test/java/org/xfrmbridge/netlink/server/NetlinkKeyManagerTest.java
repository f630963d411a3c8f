package org.xfrmbridge.netlink.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.km.ChangeListener.Acquire;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.EventGroup;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/** The events a kernel sends of its own accord, which no transcript of requests can hold. */
class NetlinkKeyManagerTest {
    private static final StateId ID = new StateId(Address.parse("192.0.2.2"), 0x1234, 50);
    private static final Address SADDR = Address.parse("192.0.2.1");

    private final Bench bench = new Bench();
    private final List<byte[]> received = new ArrayList<>();
    private final NetlinkSession session = bench.session(7, received);

    private void join(int group) {
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.JOIN, group, 0).toBytes()));
    }

    private NetlinkReader event() {
        assertEquals(1, received.size());
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(received.getFirst()));
        assertTrue(reader.next());
        return reader;
    }

    private static State state() {
        return new State(
                StateSpec.builder()
                        .id(ID)
                        .saddr(SADDR)
                        .family(AddressFamily.INET)
                        .reqid(9)
                        .seq(77)
                        .mode(Mode.TUNNEL)
                        .encapsulation(new Encapsulation(2, 4500, 4501, Address.ANY))
                        .build(),
                State.Phase.ACQUIRING,
                new Usage(0));
    }

    private static Acquire acquire() {
        Template template = Template.builder()
                .id(ID)
                .family(AddressFamily.INET)
                .saddr(SADDR)
                .reqid(9)
                .mode(Mode.TUNNEL)
                .authMask(1)
                .cipherMask(2)
                .compressionMask(3)
                .allAlgorithms(false)
                .build();
        PolicySpec spec = PolicySpec.builder()
                .selector(Selector.any(AddressFamily.INET))
                .priority(5)
                .index(0x108)
                .direction(Direction.IN)
                .templates(List.of(template))
                .mark(new Mark(3, 7))
                .ifId(11)
                .build();
        return new Acquire(state(), template, new Policy(spec, 1, 0), Direction.IN);
    }

    private void tellOfEverything() {
        bench.keyManager.acquire(acquire());
        bench.keyManager.stateExpired(state(), true, 0);
        bench.keyManager.stateChanged(Change.NEW, state(), Origin.KERNEL);
        bench.keyManager.policiesFlushed(PolicySpec.Type.MAIN, Origin.KERNEL);
        bench.keyManager.replayChanged(state(), 0, Origin.KERNEL);
        bench.keyManager.migrated(
                new Migration(Selector.any(0), 0, PolicySpec.Type.MAIN, List.of(), null, null, 0), null);
        bench.keyManager.mappingChanged(state(), SADDR, 1);
    }

    @Test
    void shouldNameTheGroupOfEachEventAndOfNothingElse() {
        List<Integer> groups = new ArrayList<>();
        NetlinkSession listener = new NetlinkSession(
                bench.engine, bench.keyManager, datagram -> groups.add(EventGroup.take(datagram)), 8, true);
        listener.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.GROUPS, 0xff, 0).toBytes()));

        tellOfEverything();
        listener.expired(state(), false);
        NetlinkWriter request = new NetlinkWriter()
                .begin(XfrmMessage.GETSPDINFO, NetlinkHeader.REQUEST, 1, 8)
                .putZeros(4)
                .end();
        listener.receive(request.written());

        assertEquals(
                List.of(
                        XfrmMessage.GROUP_ACQUIRE,
                        XfrmMessage.GROUP_EXPIRE,
                        XfrmMessage.GROUP_SA,
                        XfrmMessage.GROUP_POLICY,
                        XfrmMessage.GROUP_AEVENTS,
                        XfrmMessage.GROUP_MIGRATE,
                        XfrmMessage.GROUP_MAPPING,
                        XfrmMessage.GROUP_EXPIRE,
                        0),
                groups);
    }

    @Test
    void shouldSayThatNobodyAnswersWhenNobodyListensForAcquires() {
        assertFalse(bench.keyManager.acquire(acquire()));

        join(XfrmMessage.GROUP_ACQUIRE);

        assertTrue(bench.keyManager.acquire(acquire()));
        assertEquals(1, received.size());
    }

    @Test
    void shouldAskWithTemplatesTypeMarkAndInterface() {
        join(XfrmMessage.GROUP_ACQUIRE);
        bench.keyManager.acquire(acquire());

        NetlinkReader message = event();
        assertEquals(new NetlinkHeader(received.getFirst().length, XfrmMessage.ACQUIRE, 0, 0, 0), message.header());
        UserAcquire asked = UserAcquire.read(message.payload());
        assertEquals(77, asked.seq());
        assertEquals(ID, asked.id());
        assertEquals(List.of(1, 2, 3), List.of(asked.authMask(), asked.cipherMask(), asked.compressionMask()));
        assertEquals(Direction.OUT.number(), asked.policy().direction());
        Attributes attributes = Attributes.parse(message.payload(), UserAcquire.BYTES, XfrmAttribute.MAX);
        assertEquals(64, attributes.get(XfrmAttribute.TMPL).limit());
        assertEquals(11, attributes.getInt(XfrmAttribute.IF_ID, 0));
        assertTrue(attributes.has(XfrmAttribute.POLICY_TYPE) && attributes.has(XfrmAttribute.MARK));
    }

    @Test
    void shouldTellBothPortsWhenAPeerMoved() {
        join(XfrmMessage.GROUP_MAPPING);
        Address moved = Address.parse("198.51.100.1");

        bench.keyManager.mappingChanged(state(), moved, 1025);

        assertEquals(XfrmMessage.MAPPING, event().header().type());
        assertEquals(
                new UserMapping(new UsersaId(ID, AddressFamily.INET), 9, SADDR, moved, 4500, 1025),
                UserMapping.read(event().payload()));
    }
}
