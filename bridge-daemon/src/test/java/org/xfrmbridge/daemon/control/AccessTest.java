package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.UnixConnection.Credentials;

class AccessTest {
    private static final int GROUP = 77;
    private static final int OVERFLOW = 65534;

    private final Access access = new Access(GROUP, true);

    private static Credentials opener(int uid, int... gids) {
        return new Credentials(1, uid, gids);
    }

    @Test
    void shouldTrustRootAndMembersOfTheGroupOnly() {
        assertTrue(access.isPrivileged(opener(0, 0)));
        assertTrue(access.isPrivileged(opener(1000, 1000, GROUP)));
        assertFalse(access.isPrivileged(opener(1000, 1000)));
        assertFalse(new Access(-1, true).isPrivileged(opener(1000, -1)));
    }

    @Test
    void shouldAskWhetherTheSenderMayAsWell() {
        assertTrue(access.trusts(0, 0, 0));
        assertFalse(access.trusts(0, 1000, 1000), "a socket that root passed on");
        assertTrue(access.trusts(0, 1000, GROUP));
        assertTrue(access.trusts(1000, 1000, 1000), "the member that opened it");
        assertFalse(access.trusts(1000, 1001, 1001));
        assertTrue(access.trusts(1000, 0, 0));
    }

    @Test
    void shouldTrustNobodyWhoseIdsTheKernelDidNotTell() {
        assertFalse(access.trusts(-1, -1, -1));
        assertFalse(new Access(-1, true).trusts(0, 1000, -1));
    }

    /** In a user namespace that lacks ids, those that it does not have all look the same. */
    @Test
    void shouldNotTakeTheOverflowIdForSomebody() {
        Access nobody = new Access(OVERFLOW, false);
        assertFalse(nobody.isPrivileged(opener(1000, OVERFLOW)));
        assertFalse(nobody.trusts(0, 1000, OVERFLOW));
        assertFalse(new Access(GROUP, false).trusts(OVERFLOW, OVERFLOW, OVERFLOW));
        assertTrue(
                new Access(GROUP, true).trusts(OVERFLOW, OVERFLOW, OVERFLOW),
                "the user nobody, where all ids are known");
    }
}
