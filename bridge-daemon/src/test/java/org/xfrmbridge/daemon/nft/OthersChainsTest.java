package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.daemon.TestNetwork;

@Timeout(60)
class OthersChainsTest {
    @Test
    void shouldSeeTheChainsOfOthers() throws Exception {
        try (TestNetwork network = new TestNetwork();
                OthersChains chains = network.inHere(OthersChains::open)) {
            assertFalse(network.inHere(chains::look).translate());
            network.exec("nft add table ip other");
            network.exec("nft add table inet xfrm-bridge");
            for (String table : new String[] {"inet xfrm-bridge", "ip other"}) {
                network.exec("nft add chain " + table + " c {type nat hook postrouting priority 100;}");
            }
            assertTrue(network.inHere(chains::look).translate());
            network.exec("nft delete table ip other");
            assertFalse(network.inHere(chains::look).translate());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ip, hook prerouting, true",
        "inet, hook ingress device veth0, true",
        "netdev, hook ingress device veth0, true",
        "inet, hook output, false",
        "inet, hook postrouting, false"
    })
    void shouldSeeWhoSeesWhatArrives(String family, String hook, boolean sees) throws Exception {
        try (TestNetwork network = new TestNetwork();
                OthersChains chains = network.inHere(OthersChains::open)) {
            for (String table : new String[] {" xfrm-bridge", " other"}) {
                assertFalse(network.inHere(chains::look).seeArriving());
                network.exec("nft add table " + family + table);
                network.exec("nft add chain " + family + table + " c {type filter " + hook + " priority 0;}");
            }
            assertEquals(sees, network.inHere(chains::look).seeArriving());
        }
    }

    @Test
    void shouldSeeWhereFirewalldChecksSources() throws Exception {
        try (TestNetwork network = new TestNetwork();
                OthersChains chains = network.inHere(OthersChains::open)) {
            network.exec("nft add table inet firewalld");
            assertEquals(OptionalInt.empty(), network.inHere(chains::look).firewalldAt());
            network.exec(
                    "nft add chain inet firewalld filter_PREROUTING " + "{type filter hook prerouting priority -140;}");
            assertEquals(OptionalInt.of(-140), network.inHere(chains::look).firewalldAt());
        }
    }

    @Test
    void shouldSeeTheOlderIptables() throws Exception {
        TestNetwork.need("iptables-legacy");
        try (TestNetwork network = new TestNetwork();
                OthersChains chains = network.inHere(OthersChains::open)) {
            network.exec("iptables-legacy -t filter -L -n");
            assertFalse(network.inHere(chains::look).translate());
            network.exec("iptables-legacy -t nat -L -n");
            assertTrue(network.inHere(chains::look).translate());
            assertTrue(network.inHere(chains::look).seeArriving());
        }
    }
}
