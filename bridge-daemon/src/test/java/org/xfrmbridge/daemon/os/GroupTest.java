package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class GroupTest {
    @Test
    void shouldTellNumberWhenGroupIsThere() throws OsException {
        assertEquals(OptionalInt.of(0), Group.numberOf("root"));
        assertEquals(OptionalInt.of(65534), Group.numberOf("nogroup"));
    }

    @Test
    void shouldTellNothingWhenThereIsNoSuchGroup() throws OsException {
        assertEquals(OptionalInt.empty(), Group.numberOf("no such group"));
    }
}
