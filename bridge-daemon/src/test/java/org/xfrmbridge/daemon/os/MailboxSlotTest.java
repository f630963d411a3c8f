package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A box whose other side writes states as {@code src/main/c/box.h} numbers them. */
class MailboxSlotTest {
    private static final int IDLE = 0;
    private static final int LOOKING = 1;
    private static final int CLAIMED = 2;
    private static final int FULL = 3;
    private static final int TAKEN = 4;
    private static final int REVOKED = 5;
    private static final byte[] MESSAGE = {1, 2, 3, 4, 5};

    private final MemorySegment memory = Arena.ofAuto().allocate(MailboxSlot.BYTES, 64);
    private final MailboxSlot box = new MailboxSlot(memory);
    private final byte[] room = new byte[MailboxSlot.ROOM_BYTES];

    private int state() {
        return memory.get(ValueLayout.JAVA_INT, 0);
    }

    private void look() {
        assertTrue(box.look(System.nanoTime() + TimeUnit.HOURS.toNanos(1)));
    }

    private void setState(int state) {
        memory.set(ValueLayout.JAVA_INT, 0, state);
    }

    private void setLength(int length) {
        memory.set(ValueLayout.JAVA_INT, 4, length);
    }

    @Test
    void shouldPassAMessageWhenTheReceiverLooks() {
        assertFalse(box.put(MESSAGE, 0, MESSAGE.length), "nobody looks");
        look();
        assertTrue(box.isLookedAt());
        assertTrue(box.put(MESSAGE, 1, 3));
        assertEquals(FULL, state());
        assertEquals(3, box.take(room));
        assertArrayEquals(new byte[] {2, 3, 4, 0}, Arrays.copyOf(room, 4));
        assertEquals(IDLE, state());
        assertEquals(0, memory.get(ValueLayout.JAVA_BYTE, 16), "wiped");
        assertEquals(MailboxSlot.NOTHING, box.take(room));
    }

    @Test
    void shouldLookNoLongerThanItMay() {
        look();
        assertFalse(box.look(System.nanoTime()));
        assertFalse(box.put(MESSAGE, 0, MESSAGE.length));
        assertEquals(IDLE, state());

        look();
        setState(CLAIMED);
        assertFalse(box.look(System.nanoTime()));
        assertEquals(REVOKED, state(), "the sender takes the socket");
    }

    @Test
    void shouldKeepTheMessageWhenLookingEndsBehindIt() {
        look();
        box.put(MESSAGE, 0, MESSAGE.length);
        assertTrue(box.stop());
        assertEquals(MESSAGE.length, box.take(room));
        look();
        assertFalse(box.stop());
        assertEquals(IDLE, state());
    }

    @Test
    void shouldNotWaitWhenTheSenderHasClaimedItAndIsGone() {
        setState(CLAIMED);
        assertFalse(box.stop());
        assertEquals(REVOKED, state());
        look();
        assertEquals(REVOKED, state(), "the sender may still write");
        assertFalse(box.isFull());
    }

    @Test
    void shouldTakeBackWhatWasNotReceived() {
        look();
        box.put(MESSAGE, 0, MESSAGE.length);
        assertEquals(MESSAGE.length, box.takeBack(room));
        assertEquals(IDLE, state());
        setState(TAKEN);
        assertEquals(MailboxSlot.NOTHING, box.takeBack(room), "a receiver is at it");
        setState(LOOKING);
        assertEquals(MailboxSlot.NOTHING, box.takeBack(room));
        assertEquals(LOOKING, state());
    }

    @Test
    void shouldBelieveNoLengthThatCannotBe() {
        for (int length : new int[] {0, -1, Integer.MIN_VALUE, MailboxSlot.ROOM_BYTES + 1, Integer.MAX_VALUE}) {
            setState(FULL);
            setLength(length);
            assertEquals(0, box.take(room), () -> "length " + length);
        }
        setState(FULL);
        setLength(MailboxSlot.ROOM_BYTES);
        assertEquals(MailboxSlot.ROOM_BYTES, box.take(room));
        look();
        assertFalse(box.put(new byte[MailboxSlot.ROOM_BYTES + 1], 0, MailboxSlot.ROOM_BYTES + 1));
        assertEquals(LOOKING, state());
    }

    @Test
    void shouldNotBelieveALookThatIsOld() {
        look();
        memory.set(ValueLayout.JAVA_LONG, 8, System.nanoTime() - 1_000_001);
        assertFalse(box.isLookedAt());
    }
}
