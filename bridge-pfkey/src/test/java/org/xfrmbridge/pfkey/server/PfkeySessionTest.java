package org.xfrmbridge.pfkey.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.MessageQueue;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbSpirange;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXKmaddress;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.msg.SockaddrPair;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * What has to do with the socket, and so is in no transcript: a reader that is slow, a client that may not, control
 * frames.
 */
class PfkeySessionTest {
    private static final SadbMsg DUMP = new SadbMsg(SadbType.DUMP, Satype.ESP, 11, 4711).answeredWith(0);

    private final Bench bench = new Bench();
    private final List<SadbMsg> answers = new ArrayList<>();
    private int room = Integer.MAX_VALUE;
    private final PfkeySession session =
            new PfkeySession(bench.engine, bench.keyManager, this::send, new PfkeyCaller(1, 0, true));

    private boolean send(ByteBuffer datagram) {
        if (room > 0) {
            room--;
            answers.add(SadbMsg.read(datagram));
            return true;
        }
        return false;
    }

    private static byte[] getspi(int number) {
        Sockaddr left = new Sockaddr(AddressFamily.INET, 0, Address.ofIpv4(number));
        Sockaddr right = new Sockaddr(AddressFamily.INET, 0, Address.ofIpv4(-number));
        return new SadbWriter(new SadbMsg(SadbType.GETSPI, Satype.ESP, number, 1))
                .put(SadbExt.ADDRESS_SRC, new SadbAddress(0, 32, left))
                .put(SadbExt.ADDRESS_DST, new SadbAddress(0, 32, right))
                .put(SadbExt.SPIRANGE, new SadbSpirange(256, 100_000))
                .toBytes();
    }

    private void fill(int states) {
        bench.open("other");
        for (int i = 1; i <= states; i++) {
            bench.send("other", getspi(i));
        }
        bench.take();
    }

    @Test
    void shouldGoOnWithADumpAsTheClientReads() {
        fill(1000);
        room = 10;
        session.receive(ByteBuffer.wrap(DUMP.toBytes()));
        assertEquals(10, answers.size());
        assertTrue(session.hasBacklog());
        assertTrue(session.waitingBytes() < 1000, "no more than the next message waits");

        room = Integer.MAX_VALUE;
        session.writable();
        assertTrue(answers.size() < 1000, "a turn is bounded");
        finish(session);

        assertEquals(1000, answers.size());
        assertEquals(999, answers.get(998).sequence());
        assertEquals(0, answers.get(999).sequence());
    }

    @Test
    void shouldLoseNothingOfADumpWhenMuchOfItIsUnread() {
        fill(1000);
        AtomicInteger sent = new AtomicInteger();
        MessageSink unread = new MessageSink() {
            @Override
            public boolean trySend(ByteBuffer datagram) {
                sent.incrementAndGet();
                return true;
            }

            @Override
            public int unreadBytes() {
                return 1 << 23;
            }
        };
        PfkeySession reader = new PfkeySession(bench.engine, bench.keyManager, unread, new PfkeyCaller(3, 0, true));

        reader.receive(ByteBuffer.wrap(DUMP.toBytes()));
        finish(reader);

        assertEquals(1000, sent.get());
    }

    private static void finish(PfkeySession session) {
        for (int turn = 0; session.hasBacklog() && turn < 100; turn++) {
            session.writable();
        }
        assertFalse(session.hasBacklog());
    }

    @Test
    void shouldDropNewsSilentlyWhenTooMuchOfItWaits() {
        room = 0;
        bench.open("other");
        byte[] relay = new SadbMsg(SadbType.X_PROMISC, 0, 1, 1).answeredWith(0).toBytes();
        for (int i = 0; i < 100_000; i++) {
            bench.send("other", relay);
        }
        bench.take();
        int heard = MessageQueue.DEFAULT_BUFFER_BYTES / relay.length + 1;
        assertEquals(heard * relay.length, session.waitingBytes());

        room = Integer.MAX_VALUE;
        session.writable();
        assertEquals(heard, answers.size());
        assertTrue(answers.stream().allMatch(answer -> answer.type() == SadbType.X_PROMISC));

        bench.send("other", relay);
        assertEquals(heard + 1, answers.size(), "and hears again when it has read");
    }

    @Test
    void shouldRefuseAndTellNothingWhenTheClientMayNotChangeAnything() {
        bench.open("user", new PfkeyCaller(2, 1000, false));
        bench.send("user", DUMP.toBytes());
        assertEquals(
                Errno.EPERM.number(),
                SadbMsg.read(ByteBuffer.wrap(bench.take().get("user").getFirst()))
                        .errno());

        bench.open("root");
        bench.send(
                "root", new SadbMsg(SadbType.X_PROMISC, 1, 1, 1).answeredWith(0).toBytes());
        assertEquals(null, bench.take().get("user"));
    }

    @Test
    void shouldBeRegisteredAgainWithoutAnAnswerWhenTheLibrarySaysSo() {
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.REGISTER, Satype.ESP, 0).toBytes()));
        assertTrue(session.isRegistered());
        assertEquals(List.of(), answers);

        session.receive(ByteBuffer.wrap(
                new SadbMsg(SadbType.REGISTER, Satype.ESP, 1, 1).answeredWith(0).toBytes()));
        assertEquals(
                List.of(Errno.EEXIST.number()),
                answers.stream().map(SadbMsg::errno).toList());
    }

    @Test
    void shouldNotBeRegisteredWithoutTheRight() {
        PfkeySession guest =
                new PfkeySession(bench.engine, bench.keyManager, this::send, new PfkeyCaller(1, 1000, false));
        guest.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.REGISTER, Satype.ESP, 0).toBytes()));
        assertFalse(guest.isListening());
    }

    @Test
    void shouldIgnoreControlFramesThatMeanNothingHere() {
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.REGISTER, 0, 0).toBytes()));
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.REGISTER, 33, 0).toBytes()));
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.JOIN, 1, 0).toBytes()));
        session.receive(ByteBuffer.wrap(new byte[8]));

        assertFalse(session.isRegistered());
        assertEquals(List.of(), answers);
    }

    @Test
    void shouldHearNothingWhenClosed() {
        session.close();
        bench.open("other");
        bench.send(
                "other",
                new SadbMsg(SadbType.X_PROMISC, 1, 1, 1).answeredWith(0).toBytes());

        assertEquals(List.of(), answers);
    }

    @Test
    void shouldMoveAPolicyAndTellAllWhenAskedToMigrate() throws XfrmException {
        Sockaddr here = new Sockaddr(AddressFamily.INET, 0, Address.parse("192.0.2.1"));
        Sockaddr there = new Sockaddr(AddressFamily.INET, 0, Address.parse("198.51.100.7"));
        SadbWriter add = new SadbWriter(new SadbMsg(SadbType.X_SPDADD, Satype.UNSPEC, 1, 1));
        bench.open("other");
        session.receive(
                ByteBuffer.wrap(tunnels(add, new SockaddrPair(here, here)).toBytes()));
        bench.take();
        answers.clear();

        SadbWriter migrate = new SadbWriter(new SadbMsg(SadbType.X_MIGRATE, Satype.ESP, 2, 1));
        migrate.put(SadbExt.X_KMADDRESS, new SadbXKmaddress(0, new SockaddrPair(here, there)));
        byte[] request = tunnels(migrate, new SockaddrPair(here, here), new SockaddrPair(there, here))
                .toBytes();
        session.receive(ByteBuffer.wrap(request));

        byte[] told = bench.take().get("other").getFirst();
        assertEquals(
                List.of(SadbType.X_MIGRATE), answers.stream().map(SadbMsg::type).toList());
        assertEquals(0, answers.getFirst().errno());
        assertEquals(0, answers.getFirst().sequence(), "the news is the answer, and nobody's");
        Extensions extensions = Extensions.parse(ByteBuffer.wrap(told));
        assertEquals(
                new SockaddrPair(here, there),
                SadbXKmaddress.read(extensions.require(SadbExt.X_KMADDRESS)).pair());
        Policy policy = bench.engine.policies(PolicySpec.Type.MAIN).next();
        assertEquals(
                Address.parse("198.51.100.7"),
                policy.spec().templates().getFirst().saddr());
    }

    /** The addresses of everything, and an outbound policy with tunnels between these ends. */
    static SadbWriter tunnels(SadbWriter out, SockaddrPair... pairs) {
        SadbAddress any = new SadbAddress(255, 0, new Sockaddr(AddressFamily.INET, 0, Address.ANY));
        List<SadbXIpsecrequest> requests = new ArrayList<>();
        for (SockaddrPair pair : pairs) {
            ByteBuffer bytes = ByteBuffer.allocate(pair.bytes()).order(ByteOrder.nativeOrder());
            pair.write(bytes);
            requests.add(new SadbXIpsecrequest(IpProtocol.ESP, 2, SadbXIpsecrequest.REQUIRE, 0, bytes.flip()));
        }
        return out.put(SadbExt.ADDRESS_SRC, any)
                .put(SadbExt.ADDRESS_DST, any)
                .put(SadbExt.X_POLICY, new SadbXPolicy(SadbXPolicy.IPSEC, 2, 0, 0, requests));
    }

    @Test
    void shouldListSocketsAsProcDoes() {
        bench.open("other", new PfkeyCaller(4711, 1000, true));

        assertEquals(
                List.of(
                        "sk       RefCnt Rmem   Wmem   User   Inode",
                        "0000000000000000 2      0      0      0      1     ",
                        "0000000000000000 2      0      0      1000   4711  "),
                bench.keyManager.procText().lines().toList());
    }
}
