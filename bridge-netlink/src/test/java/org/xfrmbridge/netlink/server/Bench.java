package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.nl.EventGroup;
import org.xfrmbridge.time.ManualClock;

/** An engine with sessions whose clients read everything at once. */
final class Bench {
    static final int EXT_ACK = 11;
    static final int CAP_ACK = 10;

    final ManualClock clock = new ManualClock();
    final XfrmEngine engine =
            XfrmEngine.builder(new Databases(), clock).random(new Random(1)).build();
    final NetlinkKeyManager keyManager = new NetlinkKeyManager();

    Bench() {
        engine.register(keyManager);
    }

    /** A privileged client whose datagrams are added to a list, as its program sees them. */
    NetlinkSession session(int portId, List<byte[]> received) {
        return new NetlinkSession(engine, keyManager, datagram -> received.add(bytes(datagram)), portId, true);
    }

    /** Without the group that the preload library takes out. */
    static byte[] bytes(ByteBuffer datagram) {
        byte[] bytes = new byte[datagram.remaining()];
        datagram.get(bytes);
        EventGroup.take(ByteBuffer.wrap(bytes));
        return bytes;
    }
}
