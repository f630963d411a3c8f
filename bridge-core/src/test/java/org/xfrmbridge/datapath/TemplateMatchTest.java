package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Which State a bundle is made of: what of a template and its policy must agree with it, as {@code xfrm_state_find} and
 * {@code xfrm_state_look_at} say.
 */
class TemplateMatchTest {
    private static final String NEAR = "192.0.2.1";
    private static final String FAR = "192.0.2.2";
    private static final int NONE = 0;

    private final TestHost host = new TestHost(NEAR, "10.1.0.1");

    private record Ids(int reqid, int spi, String mark, int ifId) {
        static Ids parse(String text) {
            String[] parts = text.split(" ");
            return new Ids(
                    Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), parts[2], Integer.parseInt(parts[3]));
        }

        Mark marks() {
            String[] parts = mark.split("/");
            return new Mark(Integer.decode(parts[0]), Integer.decode(parts[1]));
        }
    }

    private void state(Ids ids) {
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, FAR, ids.spi)
                .reqid(ids.reqid)
                .mark(ids.marks())
                .ifId(ids.ifId);
        host.sad.insert(Sas.state(spec));
    }

    private void policy(Ids ids, Selector selector, boolean optional) {
        Template plain = Sas.template(Mode.TUNNEL, NEAR, FAR, ids.reqid, optional);
        StateId id = new StateId(plain.id().daddr(), ids.spi, plain.id().protocol());
        Template template = Template.builder()
                .id(id)
                .family(plain.family())
                .saddr(plain.saddr())
                .reqid(ids.reqid)
                .mode(plain.mode())
                .optional(optional)
                .build();
        PolicySpec spec = PolicySpec.builder()
                .selector(selector)
                .templates(List.of(template))
                .mark(ids.marks())
                .ifId(ids.ifId)
                .build();
        host.spd.replace(spec, 1);
    }

    /** The Spi of what leaves, 0 if nothing does; a packet in the clear fails. */
    private int sent(int sport) {
        Frames frames = Frames.udp("10.1.0.1", "10.2.0.1");
        frames.sport = sport;
        List<byte[]> sent = host.send(frames.frame());
        if (sent.isEmpty()) {
            return NONE;
        }
        IpPacket outer = Frames.view(sent.getFirst());
        assertEquals(50, outer.protocol);
        return Bytes.i32(outer.data(), outer.payload);
    }

    /**
     * Reqid, Spi, mark and interface id of a State; those of template and policy; whether it serves. Packets here carry
     * neither mark nor interface id.
     */
    @ParameterizedTest(name = "state {0}, template {1}: {2}")
    @CsvSource({
        "1 7 0/0 0,    1 0 0/0 0,    true",
        "1 7 0/0 0,    1 7 0/0 0,    true",
        "1 7 0/0 0,    1 8 0/0 0,    false",
        "1 7 0/0 0,    2 0 0/0 0,    false",
        "0 7 0/0 0,    1 0 0/0 0,    false",
        "1 7 0/0 0,    0 0 0/0 0,    false",
        "1 7 0/0 0,    1 0 0/0xff 0, true",
        "1 7 0/0xff 0, 1 0 0/0 0,    true",
        "1 7 3/0xff 0, 1 0 0/0 0,    false",
        "1 7 3/0xff 0, 1 0 0/0xff 0, false",
        "1 7 0/0 9,    1 0 0/0 0,    false"
    })
    void shouldServeWhenAllAgree(String state, String template, boolean serves) {
        state(Ids.parse(state));
        policy(Ids.parse(template), Selector.any(AddressFamily.INET), false);
        assertEquals(serves ? 7 : NONE, sent(1));
        assertEquals(serves ? 0 : 1, host.told.size(), "else a key manager is asked");
    }

    /** Level "unique": each policy has a reqid of its own, and so States of its own between the same ends. */
    @Test
    void shouldGiveEachUniquePolicyItsOwnStates() {
        for (int i = 1; i <= 3; i++) {
            Selector port = Selector.of(AddressFamily.INET)
                    .saddr(Selector.any(2).saddr(), 0)
                    .daddr(Selector.any(2).daddr(), 0)
                    .sport(i)
                    .protocol(17)
                    .build();
            policy(new Ids(i, 0, "0/0", 0), port, false);
            state(new Ids(i, 100 + i, "0/0", 0));
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 1; i <= 3; i++) {
                assertEquals(100 + i, sent(i));
            }
        }
        state(new Ids(2, 202, "0/0", 0));
        assertEquals(101, sent(1));
        assertEquals(202, sent(2));
        assertEquals(103, sent(3));
    }

    /** A bundle that left an optional State out takes it in when it comes. */
    @Test
    void shouldTakeAnOptionalStateInWhenItComes() {
        Template esp = Sas.template(Mode.TUNNEL, NEAR, FAR, 1, false);
        Template outer = Sas.template(Mode.TUNNEL, NEAR, "192.0.2.9", 2, true);
        host.policy(Direction.OUT, Selector.any(AddressFamily.INET), esp, outer);
        state(new Ids(1, 7, "0/0", 0));
        assertEquals(7, sent(1));
        assertEquals(7, sent(1));
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, "192.0.2.9", 9).reqid(2);
        host.sad.insert(Sas.state(spec));
        assertEquals(9, sent(1));
    }
}
