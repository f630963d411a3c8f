package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: every ESP proposal people configure must carry traffic, with and without extended sequence numbers. Topology:
 * two hosts. Steps: one CHILD_SA per proposal, five pings, terminate. Expected: charon reports the algorithms asked
 * for, no ping is lost, only ESP is on the wire, nothing is left in the databases.
 */
class ProposalScenario extends PairedScenario {
    @Override
    Pair start() {
        return Pair.start("proposals", Topology::direct);
    }

    @ParameterizedTest
    @CsvSource({
        "aes128gcm16, AES_GCM_16, 128",
        "aes256gcm16, AES_GCM_16, 256",
        "aes128-sha256, AES_CBC, 128",
        "aes256-sha512, AES_CBC, 256",
        "3des-sha1, 3DES_CBC, ",
        "chacha20poly1305, CHACHA20_POLY1305, ",
        "null-sha256, NULL, "
    })
    void shouldCarryTrafficWhenProposalIsNegotiated(String proposal, String cipher, String keyBits) {
        prove(proposal, cipher, keyBits, "");
        prove(proposal + "-esn", cipher, keyBits, "1");
    }

    private void prove(String proposal, String cipher, String keyBits, String esn) {
        Connection connection = new Connection("net");
        connection.child("net", Family.IPV4).set("esp_proposals", proposal);
        pair().load(connection);
        pair().initiate("net");
        SaList.ChildSa child = SaList.of(pair().charon(Side.LEFT)).installed("net");
        assertEquals(cipher, child.text("encr-alg"));
        assertEquals(keyBits == null ? "" : keyBits, child.text("encr-keysize"));
        assertEquals(esn, child.text("esn"));
        pair().ping(Family.IPV4).send().assertComplete();
        pair().sniffer().assertNothingClear();
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }
}
