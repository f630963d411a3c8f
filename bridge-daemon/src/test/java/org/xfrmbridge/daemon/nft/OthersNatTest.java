package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;

@Timeout(60)
class OthersNatTest {
    @Test
    void shouldSeeTheChainsOfOthers() throws Exception {
        try (TestNetwork network = new TestNetwork();
                OthersNat nat = network.inHere(OthersNat::open)) {
            assertFalse(network.inHere(nat::isThere));
            network.exec("nft add table ip other");
            network.exec("nft add table inet xfrm-bridge");
            for (String table : new String[] {"inet xfrm-bridge", "ip other"}) {
                network.exec("nft add chain " + table + " c {type nat hook postrouting priority 100;}");
            }
            assertTrue(network.inHere(nat::isThere));
            network.exec("nft delete table ip other");
            assertFalse(network.inHere(nat::isThere));
        }
    }

    @Test
    void shouldSeeTheOlderIptables() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/sbin/iptables-legacy")), "needs iptables-legacy");
        try (TestNetwork network = new TestNetwork();
                OthersNat nat = network.inHere(OthersNat::open)) {
            network.exec("iptables-legacy -t filter -L -n");
            assertFalse(network.inHere(nat::isThere));
            network.exec("iptables-legacy -t nat -L -n");
            assertTrue(network.inHere(nat::isThere));
        }
    }
}
