package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Why: daemons ask uname() what NETLINK_XFRM can do: strongSwan 6 looks at LASTUSED from 6.2 on, and from 6.10 on gives
 * SAs a direction and outbound ones no replay window. Topology: two hosts. Steps: both charons are started under
 * {@code exec --kernel-level}, before, between and behind these; tunnel, pings, rekeying, pings. Expected: no ping is
 * lost, all is ESP, and no SA has a direction where the level has none. What the SAs have is printed: strongSwan 5.9,
 * as Debian 12 ships it, asks uname() about routes alone, and all levels are one to it; strongSwan 6.0.6 in its place
 * says "direction 1, window 32; direction 2, window 0" at 6.12, and pings pass.
 */
class LevelScenario extends PairedScenario {
    private static final int OUT = 2;
    private static final Set<String> UNDIRECTED = Set.of("direction 0");

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
        List<StateSpec> states = states();
        System.out.println("Linux " + level + ": " + summary(states));

        assertEquals(2, states.size());
        assertTrue(level.equals("6.12") || directions(states).equals(UNDIRECTED), () -> level + ": " + states);
        pair().charon(Side.LEFT).swanctl("--rekey", "--child", "net");
        pair().ping(Family.IPV4).send().assertComplete();
        pair().sniffer().assertNothingClear();
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }

    private List<StateSpec> states() throws IOException {
        try (XfrmClient client = Clients.xfrmOfBridge(pair().bridge(Side.LEFT).directory());
                Stream<StateEntry> all = client.states()) {
            return all.map(StateEntry::spec).toList();
        }
    }

    private static Set<String> directions(List<StateSpec> states) {
        return states.stream()
                .map(spec -> "direction " + spec.direction())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String summary(List<StateSpec> states) {
        return states.stream()
                .map(spec -> "direction " + spec.direction() + ", window "
                        + (spec.hasReplayBitmap() ? spec.replay().windowBits() : spec.replayWindow())
                        + (spec.direction() == OUT ? " (outbound)" : ""))
                .sorted()
                .collect(Collectors.joining("; "));
    }
}
