package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** XFRMA_SET_MARK and its mask: {@code xfrm_smark_get} where a kernel's input and bundles use it. */
class MarkTest {
    private static final String[] INNER = {"10.1.0.1", "10.2.0.1"};
    private static final String[] OUTER = {"192.0.2.1", "192.0.2.2"};

    private final TestHost left = new TestHost(OUTER[0], INNER[0]);
    private final TestHost right = new TestHost(OUTER[1], INNER[1]);

    @BeforeEach
    void policies() {
        left.policy(
                Direction.OUT,
                Sas.between("10.1.0.0/16", "10.2.0.0/16"),
                Sas.template(Mode.TUNNEL, OUTER[0], OUTER[1]));
        right.policy(
                Direction.IN, Sas.between("10.1.0.0/16", "10.2.0.0/16"), Sas.template(Mode.TUNNEL, OUTER[0], OUTER[1]));
        PolicySpec spec = TestHost.spec(
                Direction.IN,
                Sas.between("10.1.0.0/16", "10.2.0.0/16"),
                PolicySpec.Action.BLOCK,
                1,
                PolicySpec.Type.MAIN);
        PolicySpec marked = PolicySpec.builder()
                .selector(spec.selector())
                .lifetime(spec.lifetime())
                .priority(1)
                .direction(spec.direction())
                .action(spec.action())
                .mark(new Mark(0x5, 0xff))
                .type(spec.type())
                .build();
        right.spd.replace(marked, 0);
    }

    private static void add(TestHost host, Mark outputMark) {
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, OUTER[0], OUTER[1], 0x100).outputMark(outputMark);
        host.sad.insert(Sas.state(spec));
    }

    private int arrived() {
        return right.receive(left.send(Frames.udp(INNER[0], INNER[1]).bytes(100).frame()))
                .size();
    }

    @Test
    void shouldJudgeWhatCameByTheMarkOfItsState() {
        add(left, null);
        add(right, new Mark(0xf5, 0x0f));

        assertEquals(0, arrived());

        assertEquals(1, right.drops(DropReason.IN_POL_BLOCK));
    }

    @Test
    void shouldJudgeByNoMarkWhenTheStateHasNone() {
        add(left, null);
        add(right, null);

        assertEquals(1, arrived());
    }

    @Test
    void shouldAskForTheWayWithTheMarkOfTheState() {
        add(left, new Mark(0x77, 0xf0));
        add(right, null);

        assertEquals(1, arrived());

        assertEquals(0x70, left.network.lastMark());
    }
}
