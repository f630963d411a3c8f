package org.xfrmbridge.daemon.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.CurrentProcess;

class SocketDestroyEventsTest {
    private static final int SOCKETS = 4 * SocketDestroyEvents.TURN;

    /** Any user may close sockets faster than they are read of. */
    @Test
    void shouldTellOfManyInTurns() throws Exception {
        Assumptions.assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root, to listen");
        try (SocketDestroyEvents ends = new SocketDestroyEvents()) {
            Assumptions.assumeTrue(ends.fd() >= 0, "needs sock_diag");
            ends.listen(true);
            for (int i = 0; i < SOCKETS; i++) {
                DatagramChannel.open()
                        .bind(new InetSocketAddress("127.0.0.1", 0))
                        .close();
            }
            Set<Long> told = new HashSet<>();
            Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
                while (told.size() < SOCKETS) {
                    int before = told.size();
                    ends.read(told::add);
                    assertTrue(told.size() - before <= SocketDestroyEvents.TURN, "at once: " + (told.size() - before));
                }
            });
            assertEquals(0, told.stream().filter(cookie -> cookie == 0).count());
        }
    }
}
