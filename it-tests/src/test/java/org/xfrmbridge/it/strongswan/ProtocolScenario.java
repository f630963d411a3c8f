package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: AH, and IPComp inside ESP, are protocols of their own, with States, policies of several templates and a packet
 * path beside that of ESP. Topology: two hosts. Steps: a CHILD_SA, pings small and large, terminate. Expected: no ping
 * is lost, AH or ESP is on the wire and nothing else, what compresses went through IPComp and what does not came
 * without, nothing is left.
 */
class ProtocolScenario extends PairedScenario {
    /** Less than IPComp tries to compress, IPv6 header included. */
    private static final int SMALL_BYTES = 16;

    private static final int COMPRESSIBLE_BYTES = 1000;

    @Override
    Pair start() {
        Pair pair = Pair.startMixed("protocols", Topology::direct, Pair.NO_ROUTES);
        pair.routeInner(Family.IPV4);
        pair.routeInner(Family.IPV6);
        return pair;
    }

    /**
     * Of one family: charon gives the ESP State the selector of the outer one, which a kernel does not find for inner
     * packets of the other.
     */
    @ParameterizedTest
    @EnumSource(Family.class)
    @Tag("debian-13-at-night")
    void shouldCompressWhatGetsSmallerWhenTunnelled(Family family) {
        Connection connection = new Connection("comp").outer(family);
        connection.child("comp", family).set("ipcomp", "yes");
        proveCompression(connection, pair().ping(family));
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    @Tag("debian-13-at-night")
    void shouldCompressWhatGetsSmallerInTransportMode(Family outer) {
        Connection connection = new Connection("comp").outer(outer);
        connection.child("comp", outer).transport().set("ipcomp", "yes");
        proveCompression(connection, pair().outerPing(outer));
    }

    private void proveCompression(Connection connection, Ping ping) {
        pair().load(connection);
        pair().initiate("comp");
        ping.payloadBytes(SMALL_BYTES).send().assertComplete();
        String before = compressed(Side.RIGHT);
        assertTrue(before.isEmpty(), before);
        Ping large = ping.payloadBytes(COMPRESSIBLE_BYTES);
        int frames = pair().sniffer().espFrames();
        Ping.Score score = large.send();
        score.assertComplete();
        assertTrue(pair().sniffer().espFrames() - frames >= 2 * score.sent());
        assertTrue(!compressed(Side.RIGHT).isEmpty() && !compressed(Side.LEFT).isEmpty(), pair().databases(Side.RIGHT));
        pair().sniffer().assertNothingClear();
        pair().terminate("comp");
        pair().awaitDatabasesEmpty();
    }

    /**
     * The inbound IPComp States of a side that have carried packets; outbound ones count what they left uncompressed,
     * too.
     */
    private String compressed(Side side) {
        String own = pair().topology().site(side).outer().of(Family.IPV4);
        String ownIpv6 = pair().topology().site(side).outer().of(Family.IPV6);
        StringBuilder found = new StringBuilder();
        for (String state : pair().bridge(side).run("ip", "-s", "xfrm", "state").split("(?m)^(?=src )")) {
            boolean inbound = state.contains(" dst " + own + "\n") || state.contains(" dst " + ownIpv6 + "\n");
            if (inbound && state.contains("proto comp") && !state.contains(" 0(bytes), 0(packets)")) {
                found.append(state);
            }
        }
        return found.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sha256", "sha1", "sha512", "aesxcbc", "aescmac", "sha256-esn"})
    void shouldAuthenticateWhenAhIsNegotiated(String proposal) {
        Connection connection = new Connection("ah");
        connection.child("ah", Family.IPV4).ah(proposal);
        proveAh(connection, pair().ping(Family.IPV4));
    }

    @ParameterizedTest
    @CsvSource({"IPV6, IPV6", "IPV4, IPV6", "IPV6, IPV4"})
    void shouldAuthenticateInnerFamilyInOuterFamily(Family inner, Family outer) {
        Connection connection = new Connection("ah").outer(outer);
        connection.child("ah", inner).ah("sha256");
        proveAh(connection, pair().ping(inner));
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldAuthenticateHostToHostInTransportMode(Family outer) {
        Connection connection = new Connection("ah").outer(outer);
        connection.child("ah", outer).transport().ah("sha256");
        proveAh(connection, pair().outerPing(outer));
    }

    private void proveAh(Connection connection, Ping ping) {
        pair().load(connection);
        pair().initiate("ah");
        int before = pair().sniffer().ahFrames();
        Ping.Score score = ping.send();
        score.assertComplete();
        assertTrue(pair().sniffer().ahFrames() - before >= 2 * score.sent());
        pair().sniffer().assertNothingClear();
        pair().terminate("ah");
        pair().awaitDatabasesEmpty();
    }
}
