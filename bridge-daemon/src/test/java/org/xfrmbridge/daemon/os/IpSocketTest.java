package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class IpSocketTest {
    /** There nft's rules take every group of this namespace for 65534. */
    @Test
    @Timeout(30)
    void shouldHaveNoGroupsWhereRulesCountThoseOfOtherUsers() throws Exception {
        Assumptions.assumeTrue(IpSocket.haveGroups(), "needs CAP_SETGID");
        Process holder = new ProcessBuilder(
                        "unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo; read end")
                .start();
        try {
            Assumptions.assumeTrue(holder.getInputStream().read() == '\n', "needs user namespaces");
            FutureTask<Boolean> there = new FutureTask<>(() -> {
                NetworkNamespace.enterFile("/proc/" + holder.pid() + "/ns/net");
                return IpSocket.haveGroups();
            });
            new Thread(there).start();
            assertFalse(there.get());
            assertTrue(IpSocket.haveGroups(), "but here they are");
        } finally {
            holder.destroy();
        }
    }
}
