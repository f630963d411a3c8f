package org.xfrmbridge.daemon.selection;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.MessageSink;
import org.xfrmbridge.io.QueuedSession;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.client.NetlinkConnection;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyPolicy;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.server.PfkeyCaller;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;
import org.xfrmbridge.pfkey.server.PfkeySession;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpec.Action;
import org.xfrmbridge.xfrm.Selector;

/** What a client was told of is selected: the table has heard of it before the client does. */
class AcknowledgementTest {
    private static final int OUTBOUND = 2;

    private final ManualClock clock = new ManualClock();
    private final Databases databases = new Databases();
    private final XfrmEngine engine = XfrmEngine.builder(databases, clock).build();
    private final List<String> order = new ArrayList<>();

    /** The other end is a session in this process, which has answered when something was sent. */
    private final class SessionSocket implements NetlinkConnection, MessageSink {
        private final Queue<ByteBuffer> received = new ArrayDeque<>();
        private QueuedSession session;

        @Override
        public void send(ByteBuffer datagram) {
            session.receive(datagram.duplicate().order(ByteOrder.nativeOrder()), true);
        }

        @Override
        public boolean trySend(ByteBuffer datagram) {
            order.add("answer");
            byte[] copy = new byte[datagram.remaining()];
            datagram.get(copy);
            received.add(ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder()));
            return true;
        }

        @Override
        public ByteBuffer receive(int timeoutMs) {
            return received.poll();
        }

        @Override
        public void join(int group) {}

        @Override
        public void setReceiveBuffer(int bytes) {}

        @Override
        public void close() {}
    }

    @BeforeEach
    void start() throws OsException {
        SelectionTable table = change -> order.add(change.wide().isEmpty() ? "sets" : "wide");
        new Selection(databases, table, null, clock, -1).start();
        order.clear();
    }

    private SessionSocket netlink() {
        SessionSocket socket = new SessionSocket();
        socket.session = new NetlinkSession(engine, new NetlinkKeyManager(), socket, 1, true);
        return socket;
    }

    private SessionSocket pfkey() {
        SessionSocket socket = new SessionSocket();
        PfkeyKeyManager keyManager = new PfkeyKeyManager();
        engine.register(keyManager);
        socket.session = new PfkeySession(engine, keyManager, socket, new PfkeyCaller(1, 0, true));
        return socket;
    }

    @Test
    void shouldAnswerNetlinkWhenThePolicyIsSelected() throws IOException {
        try (XfrmClient client = XfrmClient.open(this::netlink)) {
            client.addPolicy(PolicySpec.builder()
                    .selector(Selector.between("192.0.2.1", "198.51.100.0/24").build())
                    .action(Action.BLOCK)
                    .build());
        }
        assertEquals(List.of("sets", "answer"), order);
    }

    @Test
    void shouldAnswerNetlinkWhenAllIsSelectedInABurst() throws IOException {
        try (XfrmClient client = XfrmClient.open(this::netlink)) {
            for (int i = 0; i < 40; i++) {
                client.addPolicy(PolicySpec.builder()
                        .selector(
                                Selector.between("192.0.2.1", "198.51.100." + i).build())
                        .action(Action.BLOCK)
                        .build());
            }
        }
        assertEquals(40, order.stream().filter("answer"::equals).count());
        assertEquals(List.of("sets", "answer"), order.subList(46, 48));
        assertEquals(List.of("wide", "answer", "answer"), order.subList(48, 51));
    }

    @Test
    void shouldAnswerPfkeyWhenThePolicyIsSelected() throws IOException {
        SadbAddress source = new SadbAddress(255, 24, new Sockaddr(AddressFamily.INET, 0, Address.parse("10.1.0.0")));
        SadbXIpsecrequest esp = new SadbXIpsecrequest(50, 1, SadbXIpsecrequest.REQUIRE, 0, ByteBuffer.allocate(0));
        SadbXPolicy policy = new SadbXPolicy(SadbXPolicy.IPSEC, OUTBOUND, 0, 0, List.of(esp));
        try (PfkeyClient client = PfkeyClient.open(this::pfkey)) {
            client.addPolicy(new PfkeyPolicy(policy, source, source));
        }
        assertEquals(List.of("sets", "answer"), order);
    }
}
