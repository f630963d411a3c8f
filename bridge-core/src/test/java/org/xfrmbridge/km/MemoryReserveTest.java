package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** What requests are answered when no memory is left, and what they are not refused. */
class MemoryReserveTest extends EngineFixture {
    private boolean room = true;

    MemoryReserveTest() {
        start(builder().reserve(() -> room));
    }

    private static PolicySpec policy(String daddr) {
        return policy(hosts("10.1.0.1", daddr), tunnel(1));
    }

    @Test
    void shouldRefuseWhatWouldMakeOneMore() throws XfrmException {
        engine.addState(esp(1), ASKER);
        engine.addPolicy(policy("10.2.0.1"), true, ASKER);
        room = false;

        StateSpec added = esp(2);
        refused(Errno.ENOMEM, () -> engine.addState(added, ASKER));
        assertArrayEquals(new byte[20], added.aead().key());
        refused(Errno.EEXIST, () -> engine.addState(esp(1), ASKER));
        refused(Errno.ENOMEM, () -> allocate(esp(0), 0x100, 0x200));
        refused(Errno.ENOMEM, () -> engine.addPolicy(policy("10.2.0.2"), true, ASKER));
        refused(Errno.ENOMEM, () -> engine.addPolicy(policy("10.2.0.2"), false, ASKER));
        assertEquals(1, spd.count(Direction.OUT));

        room = true;
        engine.addState(esp(2), ASKER);
        engine.addPolicy(policy("10.2.0.2"), true, ASKER);
    }

    @Test
    void shouldChangeAndDeleteWhatIsThere() throws XfrmException {
        State state = engine.addState(esp(1), ASKER);
        engine.addPolicy(policy("10.2.0.1"), true, ASKER);
        room = false;

        engine.updateState(esp(1, s -> s.lifetime(seconds(0, 60, 0, 0))), ASKER);
        assertEquals(60, state.spec().lifetime().hardAddSeconds());
        engine.addPolicy(policy("10.2.0.1"), false, ASKER);
        engine.deletePolicy(bySelector(policy("10.2.0.1")), ASKER);
        engine.deleteState(key(1), ASKER);
        assertEquals(0, sad.size());
    }

    @Test
    void shouldRefuseToCompleteALarvalState() throws XfrmException {
        State larval = allocate(esp(0), 0x100, 0x100);
        room = false;
        XfrmException refusal = assertThrows(XfrmException.class, () -> engine.updateState(esp(0x100), ASKER));
        assertEquals(Errno.ENOMEM, refusal.errno());
        assertEquals(State.Phase.ACQUIRING, larval.phase());
    }
}
