package org.xfrmbridge.netlink.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/** What a session does beside answering: pacing, losses, privilege, groups. */
class NetlinkSessionTest {
    private static final int EPERM = 1;
    private static final int EBUSY = 16;

    private final Bench bench = new Bench();
    private final List<byte[]> received = new ArrayList<>();
    private int room = Integer.MAX_VALUE;
    private final NetlinkSession session = session(true);

    private NetlinkSession session(boolean privileged) {
        return new NetlinkSession(bench.engine, bench.keyManager, this::send, 99, privileged);
    }

    private boolean send(ByteBuffer datagram) {
        if (room == 0) {
            return false;
        }
        room--;
        received.add(Bench.bytes(datagram));
        return true;
    }

    private static ByteBuffer request(int type, int flags, int payloadBytes) {
        return ByteBuffer.wrap(new NetlinkWriter()
                .begin(type, NetlinkHeader.REQUEST | flags, 5, 1)
                .putZeros(payloadBytes)
                .end()
                .toBytes());
    }

    private static ByteBuffer frame(int op, int first, int second) {
        return ByteBuffer.wrap(new ControlFrame(op, first, second).toBytes());
    }

    private void addPolicies(int count) throws XfrmException {
        for (int i = 0; i < count; i++) {
            Address daddr = Address.ofIpv4(0x0a000000 + i);
            Selector selector = Selector.of(AddressFamily.INET).daddr(daddr, 32).build();
            PolicySpec spec =
                    PolicySpec.builder().selector(selector).priority(1).build();
            bench.engine.addPolicy(spec, true, Origin.KERNEL);
        }
    }

    private List<Integer> types() {
        List<Integer> types = new ArrayList<>();
        for (byte[] datagram : received) {
            NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram));
            while (reader.next()) {
                types.add(reader.header().type());
            }
        }
        return types;
    }

    private static int typeOf(byte[] datagram) {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram));
        reader.next();
        return reader.header().type();
    }

    private int lastErrno() {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(received.getLast()));
        reader.next();
        assertEquals(NetlinkHeader.ERROR, reader.header().type());
        return NetlinkErrors.errno(reader.payload());
    }

    @Test
    void shouldPaceADumpWhenTheClientReadsSlowly() throws XfrmException {
        addPolicies(100);
        room = 2;

        session.receive(request(XfrmMessage.GETPOLICY, NetlinkHeader.DUMP, 0));
        assertEquals(2, received.size());
        assertTrue(session.hasBacklog());
        while (session.hasBacklog()) {
            room = 1;
            session.writable();
        }

        assertTrue(received.stream().allMatch(datagram -> datagram.length <= ReplyBuffer.DATAGRAM_BYTES));
        assertEquals(
                100,
                types().stream().filter(type -> type == XfrmMessage.NEWPOLICY).count());
        assertEquals(List.of(NetlinkHeader.DONE), types().subList(100, types().size()));
        assertEquals(20, received.getLast().length);
    }

    @Test
    void shouldFillLargerDatagramsWhenTheClientReadsLargerOnes() throws XfrmException {
        addPolicies(100);

        session.receive(frame(ControlFrame.ROOM, 8192, 0));
        session.receive(request(XfrmMessage.GETPOLICY, NetlinkHeader.DUMP, 0));

        assertTrue(received.stream().allMatch(datagram -> datagram.length <= 8192));
        assertTrue(received.getFirst().length > 8192 - 500);
        assertEquals(
                100,
                types().stream().filter(type -> type == XfrmMessage.NEWPOLICY).count());
    }

    @Test
    void shouldAnswerEachRequestInADatagramWhenTheClientReadsSmallOnes() {
        session.receive(three());
        assertEquals(3, received.size());
    }

    @Test
    void shouldAnswerTogetherWhatWasAskedTogetherWhenTheClientReadsLargeDatagrams() {
        session.receive(frame(ControlFrame.ROOM, 1 << 20, 0));

        session.receive(three());
        session.receive(three());

        assertEquals(2, received.size());
        assertEquals(Collections.nCopies(6, XfrmMessage.GETDEFAULT), types());
    }

    private static ByteBuffer three() {
        return times(3);
    }

    private static ByteBuffer times(int count) {
        ByteBuffer one = request(XfrmMessage.GETDEFAULT, 0, 3);
        int bytes = NetlinkHeader.align(one.remaining());
        ByteBuffer all = ByteBuffer.allocate(count * bytes);
        for (int i = 0; i < count; i++) {
            all.put(i * bytes, one, one.position(), one.remaining());
        }
        return all;
    }

    @Test
    void shouldAnswerAThousandRequestsOfOneDatagramInTurns() {
        ByteBuffer datagram = times(1000);
        session.receive(datagram);
        assertTrue(received.size() < 1000, "one turn");
        int turns = 1;
        for (; datagram.hasRemaining(); turns++) {
            session.resume(datagram, true);
        }
        assertEquals(Collections.nCopies(1000, XfrmMessage.GETDEFAULT), types());
        assertTrue(turns > 3, "each turn is bounded");
    }

    @Test
    void shouldNotPileUpAnswersForAClientThatSendsAThousandRequestsAndReadsNone() {
        room = 0;
        ByteBuffer datagram = times(1000);
        session.receive(datagram);
        assertTrue(datagram.remaining() > datagram.capacity() / 2);

        room = Integer.MAX_VALUE;
        while (datagram.hasRemaining()) {
            session.resume(datagram, true);
        }
        assertEquals(1000, types().size());
    }

    @Test
    void shouldAnswerWhatCameWithADumpRequestBeforeTheRestOfTheDump() throws XfrmException {
        addPolicies(1000);
        ByteBuffer dump = request(XfrmMessage.GETPOLICY, NetlinkHeader.DUMP, 0);
        ByteBuffer others = times(500);
        ByteBuffer datagram = ByteBuffer.allocate(dump.remaining() + others.remaining())
                .put(dump)
                .put(others)
                .flip();
        session.receive(datagram);
        while (datagram.hasRemaining()) {
            session.resume(datagram, true);
        }
        while (session.hasBacklog()) {
            session.writable();
        }

        List<Integer> types = types();
        int first = types.indexOf(XfrmMessage.GETDEFAULT);
        assertEquals(Collections.nCopies(500, XfrmMessage.GETDEFAULT), types.subList(first, first + 500));
        assertEquals(
                1000,
                types.stream().filter(type -> type == XfrmMessage.NEWPOLICY).count());
        assertEquals(NetlinkHeader.DONE, types.getLast());
    }

    @Test
    void shouldMakeALongDumpInTurns() throws XfrmException {
        addPolicies(10_000);
        session.receive(request(XfrmMessage.GETPOLICY, NetlinkHeader.DUMP, 0));
        assertTrue(types().size() < 1000);
        assertTrue(session.hasBacklog());
        while (session.hasBacklog()) {
            session.writable();
        }
        assertEquals(10_001, types().size());
    }

    @Test
    void shouldRefuseASenderWithoutRightsOnASocketOfSomebodyWhoHasThem() throws XfrmException {
        session.receive(request(XfrmMessage.GETSADINFO, 0, 4), false);
        assertEquals(EPERM, lastErrno());
        session.receive(request(XfrmMessage.GETSA, NetlinkHeader.DUMP, 0), false);
        assertEquals(EPERM, lastErrno());
        session.receive(frame(ControlFrame.JOIN, XfrmMessage.GROUP_POLICY, 0), false);
        received.clear();
        addPolicies(1);
        assertTrue(received.isEmpty());

        session.receive(frame(ControlFrame.JOIN, XfrmMessage.GROUP_POLICY, 0), true);
        session.receive(frame(ControlFrame.LEAVE, XfrmMessage.GROUP_POLICY, 0), false);
        bench.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        assertTrue(received.isEmpty());
    }

    @Test
    void shouldNotRepeatALongRequestOfAStranger() {
        session(false).receive(request(XfrmMessage.NEWSA, 0, 100_000));
        assertEquals(EPERM, lastErrno());
        assertTrue(received.getLast().length < 100);
    }

    @Test
    void shouldStayValidWhenEntriesGoDuringADump() throws XfrmException {
        addPolicies(100);
        room = 1;
        session.receive(request(XfrmMessage.GETPOLICY, NetlinkHeader.DUMP, 0));

        bench.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        room = 10;
        session.writable();

        assertEquals(NetlinkHeader.DONE, types().getLast());
        assertFalse(session.hasBacklog());
    }

    @Test
    void shouldRefuseASecondDumpWhileOneIsUnderWay() throws XfrmException {
        addPolicies(100);
        room = 1;
        session.receive(request(XfrmMessage.GETPOLICY, NetlinkHeader.DUMP, 0));

        session.receive(request(XfrmMessage.GETSA, NetlinkHeader.DUMP, 0));
        room = 3;
        session.writable();

        received.removeIf(datagram -> typeOf(datagram) != NetlinkHeader.ERROR);
        assertEquals(EBUSY, lastErrno());
    }

    @Test
    void shouldKeepRepliesInOrderWhenTheClientDoesNotRead() {
        room = 0;
        session.receive(request(XfrmMessage.GETDEFAULT, 0, 3));
        session.receive(request(XfrmMessage.GETSPDINFO, 0, 4));
        assertTrue(session.hasBacklog());

        room = 10;
        session.writable();

        assertEquals(List.of(XfrmMessage.GETDEFAULT, XfrmMessage.NEWSPDINFO), types());
        assertFalse(session.hasBacklog());
    }

    @Test
    void shouldTellOfLostEventsOnceWhenTooManyWait() throws XfrmException {
        session.receive(frame(ControlFrame.JOIN, XfrmMessage.GROUP_POLICY, 0));
        room = 0;
        addPolicies(10_000);

        room = Integer.MAX_VALUE;
        session.writable();

        List<ControlFrame> frames = received.stream()
                .map(ByteBuffer::wrap)
                .filter(ControlFrame::isControl)
                .map(ControlFrame::read)
                .toList();
        assertEquals(List.of(ControlFrame.overrun()), frames);
        assertTrue(ControlFrame.isControl(ByteBuffer.wrap(received.getLast())));
        assertTrue(received.size() < 10_000);
        received.clear();
        bench.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        assertEquals(List.of(XfrmMessage.FLUSHPOLICY), types());
    }

    @Test
    void shouldLoseEventsQuietlyWhenTheClientAskedForThat() throws XfrmException {
        session.receive(frame(ControlFrame.JOIN, XfrmMessage.GROUP_POLICY, 0));
        session.receive(frame(ControlFrame.OPTION, 5, 1));
        room = 0;
        addPolicies(10_000);

        room = Integer.MAX_VALUE;
        session.writable();

        assertTrue(received.stream().map(ByteBuffer::wrap).noneMatch(ControlFrame::isControl));
    }

    @Test
    void shouldRefuseEverythingWhenTheClientIsNotPrivileged() {
        NetlinkSession stranger = session(false);

        for (int type = XfrmMessage.NEWSA; type <= XfrmMessage.GETDEFAULT; type++) {
            stranger.receive(request(type, 0, 300));
            assertEquals(EPERM, lastErrno(), "type " + type);
        }
        stranger.receive(request(XfrmMessage.GETSA, NetlinkHeader.DUMP, 0));
        assertEquals(EPERM, lastErrno());
    }

    @Test
    void shouldTellNothingToAStrangerWhoJoinsGroups() throws XfrmException {
        NetlinkSession stranger = session(false);
        stranger.receive(frame(ControlFrame.GROUPS, -1, 0));

        addPolicies(1);

        assertTrue(received.isEmpty());
    }

    @Test
    void shouldHearOnlyTheGroupsItIsIn() throws XfrmException {
        session.receive(frame(ControlFrame.GROUPS, 1 << (XfrmMessage.GROUP_POLICY - 1), 0));
        addPolicies(1);
        session.receive(frame(ControlFrame.LEAVE, XfrmMessage.GROUP_POLICY, 0));
        addPolicies(0);
        bench.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);

        assertEquals(List.of(XfrmMessage.NEWPOLICY), types());
    }

    @Test
    void shouldHearNoMoreWhenClosed() throws XfrmException {
        session.receive(frame(ControlFrame.GROUPS, -1, 0));
        session.close();

        addPolicies(1);

        assertTrue(received.isEmpty());
        assertFalse(bench.keyManager.hearsReplay());
    }

    @Test
    void shouldSayThatReplayIsHeardOnlyWhileSomebodyListens() {
        assertFalse(bench.keyManager.hearsReplay());
        session.receive(frame(ControlFrame.JOIN, XfrmMessage.GROUP_AEVENTS, 0));
        assertTrue(bench.keyManager.hearsReplay());
        session.receive(frame(ControlFrame.LEAVE, XfrmMessage.GROUP_AEVENTS, 0));
        assertFalse(bench.keyManager.hearsReplay());
    }

    @Test
    void shouldRepeatOnlyTheHeaderWhenErrorsAreCapped() {
        session.receive(frame(ControlFrame.OPTION, Bench.CAP_ACK, 1));

        session.receive(request(XfrmMessage.GETPOLICY, 0, UserpolicyId.BYTES));

        assertEquals(16 + NetlinkErrors.BYTES, received.getLast().length);
    }

    @Test
    void shouldWipeWhatWasSent() {
        byte[][] seen = new byte[1][];
        NetlinkSession watched = new NetlinkSession(
                bench.engine,
                bench.keyManager,
                datagram -> {
                    seen[0] = datagram.array();
                    return true;
                },
                1,
                true);

        watched.receive(request(XfrmMessage.GETSPDINFO, 0, 4));

        assertEquals(0, ByteBuffer.wrap(seen[0]).getLong());
    }
}
