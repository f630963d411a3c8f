package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Why: daemons ask uname() what NETLINK_XFRM can do: strongSwan 6 looks at LASTUSED from 6.2 on, and from 6.10 on gives
 * SAs a direction and outbound ones no replay window. Topology: two hosts. Steps: both charons are started under
 * {@code exec --kernel-level}, before, between and behind these; tunnel, pings, rekeying of the CHILD_SA and of the
 * IKE_SA from both ends, pings. Expected: no ping is lost, all is ESP, and SAs have directions where the level and the
 * daemon have them: strongSwan 5.9 asks uname() about routes alone, and all levels are one to it.
 */
@Tag("debian-13")
class LevelScenario extends PairedScenario {
    private static final String UNDIRECTED = "direction 0, window 0; direction 0, window 32";
    private static final String DIRECTED = "direction 1, window 32; direction 2, window 0";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Override
    Pair start() {
        return Pair.start("levels", Topology::direct);
    }

    @ParameterizedTest
    @ValueSource(strings = {"6.1", "6.6", "6.12"})
    void shouldProtectTrafficWhateverLevelDaemonsSee(String level) throws IOException {
        for (Side side : Side.values()) {
            pair().charon(side).stop();
            pair().charon(side).start(level);
        }
        Connection connection = new Connection("net");
        connection.child("net", Family.IPV4).set("esp_proposals", "aes128-sha256");
        pair().load(connection);
        pair().initiate("net");
        pair().ping(Family.IPV4).send().assertComplete();
        boolean former =
                pair().charon(Side.LEFT).swanctl("--version", "--daemon").contains(" 5.");
        assertEquals(former || !level.equals("6.12") ? UNDIRECTED : DIRECTED, states());

        for (Side side : Side.values()) {
            List<String> before = pair().hosts().onePairOfSas();
            pair().charon(side).swanctl("--rekey", "--child", "net");
            pair().hosts().awaitReplaced(before);
        }
        for (Side side : Side.values()) {
            String before = ikeSas();
            pair().charon(side).swanctl("--rekey", "--ike", "net");
            Await.until("another IKE_SA", PATIENCE, () -> !ikeSas().equals(before));
        }
        pair().ping(Family.IPV4).send().assertComplete();
        pair().sniffer().assertNothingClear();
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }

    /** Their numbers on the left, of which there is one when none is just being replaced. */
    private String ikeSas() {
        return SaList.of(pair().charon(Side.LEFT)).ikes().stream()
                .map(ike -> ike.get("uniqueid"))
                .collect(Collectors.joining(" "));
    }

    private String states() throws IOException {
        try (XfrmClient client = Clients.xfrmOfBridge(pair().bridge(Side.LEFT).directory());
                Stream<StateEntry> all = client.states()) {
            return all.map(StateEntry::spec)
                    .map(spec -> "direction " + spec.direction() + ", window " + window(spec))
                    .sorted()
                    .collect(Collectors.joining("; "));
        }
    }

    private static int window(StateSpec spec) {
        return spec.hasReplayBitmap() ? spec.replay().windowBits() : spec.replayWindow();
    }
}
