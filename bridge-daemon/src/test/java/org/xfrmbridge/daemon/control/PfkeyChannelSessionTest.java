package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.os.UnixConnection.Credentials;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.pfkey.server.PfkeyCaller;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;
import org.xfrmbridge.pfkey.server.PfkeySession;
import org.xfrmbridge.xfrm.AddressFamily;

class PfkeyChannelSessionTest {
    private static final int PORT = 4500;
    private static final int ESP_IN_UDP = 2;

    private final SocketPolicies sockets = new SocketPolicies(new Spd());

    private PfkeyChannelSession session(Peer peer) {
        XfrmEngine engine = XfrmEngine.builder(new Databases(), new SystemClock())
                .random(new Random(1))
                .build();
        PfkeyCaller client = new PfkeyCaller(1, peer.uid(), peer.privileged());
        return new PfkeyChannelSession(
                new PfkeySession(engine, new PfkeyKeyManager(), datagram -> true, client), sockets, peer);
    }

    private static Peer peer(int uid) {
        return new Peer(new Access(-1), new Credentials(1, uid, new int[] {uid}));
    }

    private static ByteBuffer frame(int family) {
        return ByteBuffer.wrap(new ControlFrame(ControlFrame.ENCAPSULATE, family << 16 | PORT, ESP_IN_UDP).toBytes());
    }

    private int encapsulation() {
        return sockets.encapsulationType(AddressFamily.INET, 0xc000_0201L << 32, 0, PORT);
    }

    @Test
    void shouldTakeEspOnThePortAsLongAsTheSocketIsOpen() {
        PfkeyChannelSession session = session(peer(0));
        session.receive(frame(AddressFamily.INET));
        assertEquals(ESP_IN_UDP, encapsulation());

        session.close();
        assertEquals(0, encapsulation());
    }

    @Test
    void shouldTakeNothingWhenTheClientMayNotOrTheFamilyIsNone() {
        session(peer(1000)).receive(frame(AddressFamily.INET));
        session(peer(0)).receive(frame(1));

        assertEquals(0, encapsulation());
    }
}
