package org.xfrmbridge.pfkey.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbProp;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** What PF_KEY sockets hear of things that did not come through one: of another front end, of packets, of timers. */
class PfkeyKeyManagerTest {
    private static final Origin NETLINK = new Origin(77, 4712);
    private static final Address LEFT = Address.parse("192.0.2.1");
    private static final Address RIGHT = Address.parse("192.0.2.2");

    private final Bench bench = new Bench();

    PfkeyKeyManagerTest() {
        bench.open("listener");
        bench.open("registered");
        bench.send(
                "registered",
                new SadbMsg(SadbType.REGISTER, Satype.ESP, 1, 1).answeredWith(0).toBytes());
        bench.take();
    }

    /** One that PF_KEY cannot say all of: an AEAD, extended numbers, a mark. */
    private static StateSpecBuilder spec() {
        return StateSpec.builder()
                .id(new StateId(RIGHT, 0x1234, IpProtocol.ESP))
                .saddr(LEFT)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .selector(Selector.any(AddressFamily.INET))
                .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                .flags(StateFlags.NOECN | StateFlags.AF_UNSPEC)
                .mark(new Mark(5, -1))
                .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4501, Address.ANY))
                .seq(9);
    }

    private PolicySpec policy(PolicySpec.Type type, Mode mode, int mask) {
        Template template = Template.builder()
                .id(new StateId(RIGHT, 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(LEFT)
                .reqid(1)
                .mode(mode)
                .authMask(mask)
                .cipherMask(mask)
                .compressionMask(mask)
                .allAlgorithms(mask == -1)
                .build();
        return PolicySpec.builder()
                .selector(Selector.any(AddressFamily.INET))
                .templates(List.of(template))
                .type(type)
                .build();
    }

    private static SadbMsg header(byte[] message) {
        return SadbMsg.read(ByteBuffer.wrap(message));
    }

    private static Extensions extensions(byte[] message) throws XfrmException {
        return Extensions.parse(ByteBuffer.wrap(message));
    }

    @Test
    void shouldShowWhatItHasWordsForWhenAStateCameThroughNetlink() throws XfrmException {
        bench.engine.addState(spec().build(), NETLINK);

        Map<String, List<byte[]>> heard = bench.take();
        assertEquals(
                List.of("listener", "registered"),
                heard.keySet().stream().sorted().toList());
        byte[] message = heard.get("listener").getFirst();
        SadbMsg header = header(message);
        assertEquals(
                List.of(SadbType.ADD, Satype.ESP, 77, 4712),
                List.of(header.type(), header.satype(), header.sequence(), header.pid()));
        Extensions shown = extensions(message);
        assertEquals(new SadbSa(0x1234, 0, SadbSa.MATURE, 0, 0, SadbSa.FLAG_NOECN), SadbSa.read(shown.get(SadbExt.SA)));
        assertFalse(shown.has(SadbExt.KEY_ENCRYPT));
        assertTrue(shown.has(SadbExt.X_NAT_T_DPORT));
    }

    @Test
    void shouldTellRegisteredSocketsAloneWhenAPeerMoves() throws XfrmException {
        State state = bench.engine.addState(spec().build(), NETLINK);
        bench.take();

        bench.engine.mappingChanged(state, Address.parse("192.0.2.9"), 40000);
        bench.engine.drainEvents();

        Map<String, List<byte[]>> heard = bench.take();
        assertEquals(List.of("registered"), List.copyOf(heard.keySet()));
        byte[] message = heard.get("registered").getFirst();
        assertEquals(SadbType.X_NAT_T_NEW_MAPPING, header(message).type());
        assertEquals(9, header(message).sequence());
        assertEquals(
                "021700030c000000090000000000000002000100000012340000000000000000"
                        + "030005000020000002000000c0000201" + "0000000000000000" + "0100150011940000"
                        + "030006000020000002000000c0000209" + "0000000000000000" + "010016009c400000",
                HexFormat.of().formatHex(message));
    }

    @Test
    void shouldProposeWhatTheMasksNameWhenAPacketWantsAState() throws XfrmException {
        bench.engine.addPolicy(policy(PolicySpec.Type.MAIN, Mode.TUNNEL, -1), true, NETLINK);
        bench.take();

        bench.packet(AddressFamily.INET, LEFT, RIGHT);

        SadbProp proposal = SadbProp.read(
                extensions(bench.take().get("registered").getFirst()).get(SadbExt.PROPOSAL));
        assertEquals(32, proposal.replay());
        assertTrue(proposal.combs().stream()
                .anyMatch(comb -> comb.encrypt() == 12 && comb.auth() == 5 && comb.encryptMaxbits() == 256));
        assertTrue(proposal.combs().stream().noneMatch(comb -> comb.auth() == 251 || comb.encrypt() > 31));
    }

    @Test
    void shouldLeaveNoLarvalStateWhenNobodyIsRegistered() throws XfrmException {
        bench.engine.addPolicy(policy(PolicySpec.Type.MAIN, Mode.TUNNEL, -1), true, NETLINK);
        bench.close("registered");

        bench.packet(AddressFamily.INET, LEFT, RIGHT);

        assertEquals(0, bench.engine.stateCounts().states());
    }

    @Test
    void shouldBeSilentWhenPfkeyHasNoWordsForAPolicy() throws XfrmException {
        bench.engine.addPolicy(policy(PolicySpec.Type.SUB, Mode.TUNNEL, -1), true, NETLINK);
        bench.engine.addPolicy(policy(PolicySpec.Type.MAIN, Mode.IPTFS, -1), true, NETLINK);
        assertEquals(Map.of(), bench.take());

        bench.send(
                "listener",
                new SadbMsg(SadbType.X_SPDDUMP, 0, 5, 6).answeredWith(0).toBytes());

        List<byte[]> answers = bench.take().get("listener");
        assertEquals(
                List.of(22),
                answers.stream().map(answer -> header(answer).errno()).toList());
    }

    @Test
    void shouldTellOfADeletionByIndexAsSpddelete2() throws XfrmException {
        PolicySpec spec = bench.engine
                .addPolicy(policy(PolicySpec.Type.MAIN, Mode.TUNNEL, -1), true, NETLINK)
                .spec();
        bench.take();

        bench.engine.deletePolicy(
                new PolicyKey(PolicySpec.Type.MAIN, Direction.OUT, spec.index(), null, Mark.NONE, 0, null), NETLINK);

        assertEquals(
                SadbType.X_SPDDELETE2,
                header(bench.take().get("listener").getFirst()).type());
    }
}
