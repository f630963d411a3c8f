package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.Template;

/** Frames written out by hand from RFC 826 and RFC 4861. */
class NeighbourProxyTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final byte[] ARP = arp("0a010001", "0a020001");
    private static final byte[] SOLICITATION = HEX.parseHex("3333ff000001" + "020000000001" + "86dd"
            + "60000000" + "0020" + "3a" + "ff" + "fd010000000000000000000000000001"
            + "ff0200000000000000000001ff000001"
            + "87000000" + "00000000" + "fd020000000000000000000000000001" + "0101020000000001");

    private final TestHost host = new TestHost();

    private static byte[] arp(String sender, String target) {
        return HEX.parseHex("ffffffffffff" + "020000000001" + "0806" + "0001080006040001" + "020000000001" + sender
                + "000000000000" + target);
    }

    @BeforeEach
    void addresses() {
        host.network.addLocal("10.1.0.1");
        host.network.addLocal("fd01::1");
        Template over6 = Sas.template(Mode.TUNNEL, "2001:db8::1", "2001:db8::2");
        Template over4 = Sas.template(Mode.TUNNEL, "192.0.2.1", "192.0.2.2");
        host.policy(Direction.OUT, Sas.between("10.1.0.0/24", "10.2.0.0/24"), PolicySpec.Action.ALLOW, 1, over6);
        host.policy(Direction.OUT, Sas.between("fd01::/64", "fd02::/64"), PolicySpec.Action.ALLOW, 1, over4);
    }

    @Test
    void shouldAnswerArpForWhatIsBehindATunnel() {
        assertEquals(0, host.send(ARP).size(), "the question names an inner address");
        byte[] expected = HEX.parseHex("020000000001" + "025846524d01" + "0806" + "0001080006040002" + "025846524d01"
                + "0a020001" + "020000000001" + "0a010001");
        assertArrayEquals(expected, host.stack.drain().getFirst());
    }

    @Test
    void shouldAnswerSolicitationsForWhatIsBehindATunnel() {
        assertEquals(0, host.send(SOLICITATION).size());
        byte[] answer = host.stack.drain().getFirst();
        long sum = Checksum.add(0, answer, 22, 32) + 58 + 32;
        assertTrue(Checksum.isIntact(Checksum.add(sum, answer, 54, 32)));
        Bytes.putU16(answer, 56, 0);
        byte[] expected = HEX.parseHex("020000000001" + "025846524d01" + "86dd"
                + "60000000" + "0020" + "3a" + "ff" + "fd020000000000000000000000000001"
                + "fd010000000000000000000000000001"
                + "88000000" + "60000000" + "fd020000000000000000000000000001" + "0201025846524d01");
        assertArrayEquals(expected, answer);
    }

    @ParameterizedTest(name = "{0} asks for {1}")
    @CsvSource({
        "0a010001, 0a030001",
        "00000000, 0a020001",
        "0a020001, 0a020001",
    })
    void shouldLetOtherArpPass(String sender, String target) {
        byte[] question = arp(sender, target);
        assertArrayEquals(question, host.send(question.clone()).getFirst());
        assertEquals(List.of(), host.stack.drain());
    }

    @Test
    void shouldLetTheHostFindTheTunnelsOwnEnd() {
        host.network.addLocal("192.0.2.1");
        Template template = Sas.template(Mode.TUNNEL, "192.0.2.1", "192.0.2.2");
        host.policy(Direction.OUT, Sas.between("192.0.2.1/32", "192.0.2.2/32"), PolicySpec.Action.ALLOW, 1, template);
        byte[] question = arp("c0000201", "c0000202");
        assertArrayEquals(question, host.send(question.clone()).getFirst());
    }

    /** A road warrior's: from one address everything, and the host asks with that address as the sender. */
    private void fullTunnel() {
        host.network.addLocal("192.0.2.1");
        Template template = Sas.template(Mode.TUNNEL, "192.0.2.1", "198.51.100.1");
        host.policy(Direction.OUT, Sas.between("10.9.0.5/32", "0.0.0.0/0"), PolicySpec.Action.ALLOW, 1, template);
        host.network.addLocal("10.9.0.5");
    }

    private void assertLeaves(byte[] question) {
        assertArrayEquals(question, host.send(question.clone()).getFirst());
        assertEquals(List.of(), host.stack.drain());
    }

    private void assertAnswered(byte[] question) {
        assertEquals(List.of(), host.send(question.clone()));
        assertEquals(1, host.stack.drain().size());
    }

    @Test
    void shouldNeverAnswerForANextHopOfARoute() {
        host.network.addNextHop("10.2.0.1");
        host.network.addNextHop("fd02::1");
        for (byte[] question : List.of(ARP, SOLICITATION)) {
            for (int second = 0; second < 5; second++) {
                assertLeaves(question);
                host.clock.advanceSeconds(1);
            }
        }
    }

    @Test
    void shouldLeaveNeighboursThatPoliciesLetPassToAnswerForThemselves() {
        fullTunnel();
        byte[] question = arp("0a090005", "c000024d");
        assertLeaves(question);
        assertLeaves(question);
        host.clock.advanceSeconds(20);
        assertLeaves(question);
    }

    @Test
    void shouldAnswerForNeighboursThatPoliciesLetPassWhenNobodyElseDoes() {
        fullTunnel();
        byte[] question = arp("0a090005", "c000024d");
        assertLeaves(question);
        host.clock.advanceSeconds(1);
        assertLeaves(arp("0a090005", "c000024e"));
        assertAnswered(question);
        host.network.addLocal("fd09::5");
        assertLeaves(SOLICITATION);
        host.clock.advanceSeconds(1);
        assertAnswered(SOLICITATION);
    }

    /**
     * As charon makes them: with the source that its policies are for. Who forwards asks with any address of its own.
     */
    @Test
    void shouldAnswerWhereOnlyTheRouteIntoTheTunnelSaysThatItIsOnTheLink() {
        host.network.addLocal("192.0.2.1");
        host.network.addOnLink("10.2.0.1");
        host.network.setSource(AddressFamily.INET, "192.0.2.1");
        assertLeaves(arp("c0000201", "0a020001"));
        host.network.setSource(AddressFamily.INET, "10.1.0.1");
        assertAnswered(arp("c0000201", "0a020001"));
    }

    @Test
    void shouldNotBeSureWhereAPolicyLetsOneProtocolPass() {
        Selector ssh = Sas.between("10.1.0.0/24", "10.2.0.0/24", IpProtocol.TCP, 22);
        host.policy(Direction.OUT, ssh, PolicySpec.Action.ALLOW, 0);
        assertLeaves(ARP);
        host.clock.advanceSeconds(1);
        assertAnswered(ARP);
    }

    @Test
    void shouldNeverAnswerForTheEndOfATunnelThoughOtherAddressesReachItThroughOne() {
        fullTunnel();
        Template template = Sas.template(Mode.TUNNEL, "192.0.2.1", "192.0.2.77");
        host.policy(Direction.OUT, Sas.between("192.0.2.1/32", "0.0.0.0/0"), PolicySpec.Action.ALLOW, 1, template);
        for (int second = 0; second < 5; second++) {
            assertLeaves(arp("0a090005", "c000024d"));
            host.clock.advanceSeconds(1);
        }
    }

    @Test
    void shouldNotCountTransportModeAsTunnel() {
        host.policy(
                Direction.OUT,
                Sas.between("10.1.0.0/24", "10.2.0.0/24"),
                PolicySpec.Action.ALLOW,
                0,
                Sas.template(Mode.TRANSPORT, "10.1.0.1", "10.2.0.1"));
        assertLeaves(ARP);
        host.clock.advanceSeconds(1);
        assertLeaves(ARP);
    }

    /** Link-local addresses are every host's, and not what it sends to others from. */
    @Test
    void shouldNotAskPoliciesForAddressesOfAnotherScope() {
        host.network.addLocal("fe80::1");
        assertAnswered(SOLICITATION);
    }

    /** The host checks on a neighbour where it believes it to be: at our address, where nobody hears it. */
    @Test
    void shouldSendQuestionsToOurAddressToEverybody() {
        host.network.addNextHop("10.2.0.1");
        host.network.addNextHop("fd02::1");
        byte[] arp = ARP.clone();
        byte[] solicitation = SOLICITATION.clone();
        for (byte[] question : List.of(arp, solicitation)) {
            MacAddress.write(question, Ethernet.DESTINATION, HostNetwork.TUNNEL_NEIGHBOUR_MAC);
        }
        assertArrayEquals(ARP, host.send(arp).getFirst());
        assertArrayEquals(SOLICITATION, host.send(solicitation).getFirst());
    }

    @Test
    void shouldLetTruncatedQuestionsPass() {
        for (int bytes = 14; bytes < ARP.length; bytes++) {
            assertEquals(1, host.send(Arrays.copyOf(ARP, bytes)).size());
        }
    }
}
