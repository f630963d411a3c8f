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
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/** Frames written out by hand from RFC 826 and RFC 4861. */
class TunnelNeighbourTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final byte[] ARP = arp("0a010001", "0a020001");
    private static final byte[] SOLICITATION = HEX.parseHex("3333ff000001" + "020000000001" + "86dd"
            + "60000000" + "0020" + "3a" + "ff" + "fd010000000000000000000000000001" + "ff0200000000000000000001ff000001"
            + "87000000" + "00000000" + "fd020000000000000000000000000001" + "0101020000000001");

    private final TestHost host = new TestHost();

    private static byte[] arp(String sender, String target) {
        return HEX.parseHex("ffffffffffff" + "020000000001" + "0806" + "0001080006040001"
                + "020000000001" + sender + "000000000000" + target);
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
        byte[] expected = HEX.parseHex("020000000001" + "025846524d01" + "0806" + "0001080006040002"
                + "025846524d01" + "0a020001" + "020000000001" + "0a010001");
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
                + "60000000" + "0020" + "3a" + "ff" + "fd020000000000000000000000000001" + "fd010000000000000000000000000001"
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

    @Test
    void shouldLetTruncatedQuestionsPass() {
        for (int bytes = 14; bytes < ARP.length; bytes++) {
            assertEquals(1, host.send(Arrays.copyOf(ARP, bytes)).size());
        }
    }
}
