package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.ClientSocket;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Direction;

/** Messages of unusual size, and clients that are gone before they are answered, over real sockets. */
@Timeout(60)
class ConnectionTest {
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int EMSGSIZE = 90;
    private static final int TOO_LONG = (1 << 20) + 4;
    private static final int FAMILY_AT = 40;
    private static final int DADDR_AT = 0;
    private static final int PREFIX_AT = 42;

    @TempDir
    private Path directory;

    private ServedBridge bridge;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root for send buffers of any size");
        bridge = new ServedBridge(directory);
    }

    @AfterEach
    void stop() {
        if (bridge != null) {
            bridge.close();
        }
    }

    private ClientSocket connect(BridgeSocket socket) throws IOException {
        ClientSocket client = ClientSocket.unix(socket.reachableIn(directory));
        client.set(SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
        return client;
    }

    private static ByteBuffer longRequest(int bytes) {
        return ByteBuffer.wrap(new NetlinkWriter(bytes)
                .begin(XfrmMessage.GETSADINFO, NetlinkHeader.REQUEST | NetlinkHeader.ACK, 7, 0)
                .putZeros(bytes - NetlinkHeader.BYTES)
                .end()
                .toBytes());
    }

    @Test
    void shouldRefuseAMessageAboveAMegabyteAndServeTheNext() throws IOException {
        try (ClientSocket client = connect(BridgeSocket.NETLINK)) {
            client.send(longRequest(TOO_LONG));
            NetlinkReader answer = new NetlinkReader(client.receive(30_000));
            assertTrue(answer.next());
            assertEquals(7, answer.sequence());
            assertEquals(NetlinkHeader.ERROR, answer.type());
            assertEquals(EMSGSIZE, NetlinkErrors.errno(answer.payload()));

            client.send(longRequest(NetlinkHeader.BYTES + 4));
            assertTrue(new NetlinkReader(client.receive(30_000)).next());
        }
    }

    @Test
    void shouldAnswerAMessageOfAMegabyte() throws IOException {
        try (ClientSocket client = connect(BridgeSocket.NETLINK)) {
            client.send(longRequest(1 << 20));
            NetlinkReader answer = new NetlinkReader(client.receive(30_000));
            assertTrue(answer.next());
            assertEquals(7, answer.sequence());
        }
    }

    @Test
    void shouldRefuseALongPfkeyMessage() throws IOException {
        byte[] header = new SadbMsg(SadbType.FLUSH, Satype.ESP, 5, 1).toBytes();
        try (ClientSocket client = connect(BridgeSocket.PFKEY)) {
            client.send(ByteBuffer.allocate(TOO_LONG).put(0, header));
            SadbMsg answer = SadbMsg.read(client.receive(30_000));
            assertEquals(5, answer.sequence());
            assertEquals(EMSGSIZE, answer.errno());
        }
    }

    /** Each with an acknowledgement that finds nobody; the client is gone before it is accepted, as like as not. */
    @Test
    void shouldDoAllThatAClientAskedForBeforeItWent() throws IOException {
        int datagrams = 8;
        int each = 1000;
        try (ClientSocket client = connect(BridgeSocket.NETLINK)) {
            for (int i = 0; i < datagrams; i++) {
                client.send(policies(i * each, each));
            }
        }
        try (XfrmClient observer = Clients.xfrmOfBridge(directory)) {
            long startNs = System.nanoTime();
            while (observer.policyCounts().global()[Direction.IN.number()] < datagrams * each
                    && System.nanoTime() - startNs < 30_000_000_000L) {
                Thread.onSpinWait();
            }
            assertEquals(datagrams * each, observer.policyCounts().global()[Direction.IN.number()]);
        }
    }

    /** More than is read in one turn: nothing of it is lost, and each line is answered. */
    @Test
    void shouldAnswerEachOfManyLinesThatComeAtOnce() throws IOException {
        int lines = 5000;
        ByteBuffer answers = ByteBuffer.allocate(lines * "ok\n".length());
        String said = "sockets\n" + "close 1\n".repeat(lines);
        Path path = BridgeSocket.CONTROL.reachableIn(directory);
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            client.write(ByteBuffer.wrap(said.getBytes(StandardCharsets.US_ASCII)));
            client.shutdownOutput();
            while (answers.hasRemaining() && client.read(answers) > 0) {
                Thread.onSpinWait();
            }
        }
        String heard = new String(answers.array(), 0, answers.position(), StandardCharsets.US_ASCII);
        assertEquals("ok\n".repeat(lines), heard);
    }

    private static ByteBuffer policies(int first, int count) {
        NetlinkWriter out = new NetlinkWriter();
        for (int i = first; i < first + count; i++) {
            out.begin(XfrmMessage.NEWPOLICY, NetlinkHeader.REQUEST | NetlinkHeader.ACK, i, 0);
            byte[] info = new byte[UserpolicyInfo.BYTES];
            ByteBuffer fields = ByteBuffer.wrap(info).order(ByteOrder.nativeOrder());
            fields.putInt(DADDR_AT, Integer.reverseBytes(0x0a00_0000 + i))
                    .putShort(FAMILY_AT, (short) 2)
                    .put(PREFIX_AT, (byte) 32);
            out.putBytes(info);
            out.end();
        }
        return ByteBuffer.wrap(out.toBytes());
    }
}
