package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Ciphers hold copies of a State's keys. Here the State is still valid when it is said to have gone, so that nothing
 * else stops its packets.
 */
class RemovedStatesTest {
    private static final String LEFT = "192.0.2.1";
    private static final String RIGHT = "192.0.2.2";

    static List<Function<StateSpecBuilder, State>> makers() {
        return List.of(
                spec -> Sas.state(spec, Sas.Cipher.GCM),
                spec -> Sas.state(spec, Sas.Cipher.CBC_SHA256),
                spec -> Sas.ah(spec, "hmac(sha256)"),
                spec -> Sas.ah(spec, "cmac(aes)"));
    }

    private static State install(TestHost host, Direction direction, Function<StateSpecBuilder, State> maker) {
        State state = maker.apply(Sas.spec(Mode.TRANSPORT, LEFT, RIGHT, 0x1234));
        host.sad.insert(state);
        Template template = Sas.of(state.id().protocol(), Sas.template(Mode.TRANSPORT, LEFT, RIGHT));
        host.policy(direction, Selector.any(AddressFamily.INET), template);
        return state;
    }

    @ParameterizedTest
    @MethodSource("makers")
    void shouldHaveNoKeysLeftWhenStateHasGone(Function<StateSpecBuilder, State> maker) {
        TestHost left = new TestHost(LEFT);
        TestHost right = new TestHost(RIGHT);
        State sending = install(left, Direction.OUT, maker);
        State receiving = install(right, Direction.IN, maker);
        byte[] frame = Frames.udp(LEFT, RIGHT).frame();
        assertEquals(1, right.receive(left.send(frame)).size());
        List<byte[]> late = left.send(frame);

        left.forget(sending);
        right.forget(receiving);

        assertEquals(0, left.send(frame).size());
        assertEquals(1, left.drops(DropReason.OUT_STATE_PROTO_ERROR));
        assertEquals(0, right.receive(late).size());
        assertEquals(1, right.drops(DropReason.IN_STATE_PROTO_ERROR));
    }
}
