package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.xfrmbridge.esp.OutboundSequence.Overflow.REFUSE;
import static org.xfrmbridge.esp.OutboundSequence.Overflow.WRAP;
import static org.xfrmbridge.esp.SequenceWidth.EXTENDED;
import static org.xfrmbridge.esp.SequenceWidth.SHORT;

import org.junit.jupiter.api.Test;

class OutboundSequenceTest {
    @Test
    void shouldStartAtOneWhenFresh() {
        OutboundSequence sequence = new OutboundSequence(SHORT, REFUSE, 0, 0);
        assertTrue(sequence.next());
        assertEquals(1, sequence.last());
    }

    @Test
    void shouldStopAtTheLastNumberWhenShort() {
        OutboundSequence sequence = new OutboundSequence(SHORT, REFUSE, 0xffff_fffe, 9);
        assertTrue(sequence.next());
        assertEquals(0xffff_ffffL, sequence.last());
        assertFalse(sequence.next());
        assertEquals(0xffff_ffffL, sequence.last());
        assertEquals(-1, sequence.oseq());
        assertEquals(0, sequence.oseqHigh());
    }

    @Test
    void shouldGoToZeroWhenItMayWrap() {
        OutboundSequence sequence = new OutboundSequence(SHORT, WRAP, -1, 0);
        assertTrue(sequence.next());
        assertEquals(0, sequence.last());
        assertTrue(sequence.next());
        assertEquals(1, sequence.last());
    }

    @Test
    void shouldCarryIntoTheHighHalfWhenExtended() {
        OutboundSequence sequence = new OutboundSequence(EXTENDED, REFUSE, -1, 6);
        assertTrue(sequence.next());
        assertEquals(7L << 32, sequence.last());
        assertEquals(0, sequence.oseq());
        assertEquals(7, sequence.oseqHigh());
    }

    @Test
    void shouldStopAtTheLastNumberWhenExtendedEvenIfItMayWrap() {
        OutboundSequence sequence = new OutboundSequence(EXTENDED, WRAP, -1, -1);
        assertFalse(sequence.next());
        assertEquals(-1, sequence.oseqHigh());
    }
}
