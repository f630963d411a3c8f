package org.xfrmbridge.daemon.warmup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;

class WarmupRequestsTest {
    private static final int ENTRIES = 256;

    private final Set<Integer> answered = new HashSet<>();
    private int acknowledged;

    @Test
    void shouldBeRefusedNothingAndLeaveNothingWhenPlayedTwice() throws IOException {
        WarmupBridge bridge = new WarmupBridge(this::read, () -> {}, new SystemClock());
        List<byte[]> datagrams = WarmupRequests.datagrams(ENTRIES, 64, NetlinkHeader.ACK);
        for (int i = 0; i < 2; i++) {
            bridge.answer(datagrams);
            assertEquals(0, bridge.stateCount());
            assertEquals(0, bridge.policyCount());
        }
        bridge.end();
        assertTrue(
                answered.containsAll(Set.of(XfrmMessage.NEWPOLICY, XfrmMessage.NEWSA)),
                "got answers of types " + answered);
        // Each entry is added, updated and deleted: policies of four kinds, and States.
        assertTrue(acknowledged > 2 * 5 * 3 * ENTRIES, "got " + acknowledged + " acknowledgements");
    }

    private boolean read(ByteBuffer datagram) {
        NetlinkReader reader = new NetlinkReader(datagram);
        while (reader.next()) {
            int type = reader.header().type();
            answered.add(type);
            if (type == NetlinkHeader.ERROR || type == NetlinkHeader.DONE) {
                assertEquals(0, NetlinkErrors.errno(reader.payload()));
                acknowledged++;
            }
        }
        return true;
    }
}
