package org.xfrmbridge.km;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.OptionalInt;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * {@code XFRM_MSG_MIGRATE_STATE} (Linux 7.2): one State goes to other addresses, with its keys, counters and sequence
 * numbers. What is null or empty stays as the State has it.
 *
 * @param state the one that is meant
 * @param reqid the new one, also if it is 0
 * @param selector the new one, unless {@link #UPDATE_HOST_SELECTOR} makes it of the addresses
 * @param flags {@link #CLEAR_OFFLOAD} and {@link #UPDATE_HOST_SELECTOR}
 * @param encapsulation with the type 0: none from then on
 * @param offloadFlags as in {@link StateSpec}
 */
@RecordBuilder
public record StateMigration(
        StateKey state,
        Address daddr,
        Address saddr,
        int family,
        Selector selector,
        int reqid,
        int flags,
        Mark mark,
        Mark outputMark,
        Encapsulation encapsulation,
        OptionalInt mappingMaxAgeSeconds,
        OptionalInt natKeepaliveSeconds,
        int offloadFlags) {
    public static final int CLEAR_OFFLOAD = 1;
    public static final int UPDATE_HOST_SELECTOR = 2;

    /** Of a State that keeps its limits of time and offload; it needs a key, addresses and a family. */
    public static StateMigrationBuilder builder() {
        return StateMigrationBuilder.builder()
                .mappingMaxAgeSeconds(OptionalInt.empty())
                .natKeepaliveSeconds(OptionalInt.empty())
                .offloadFlags(StateSpec.ABSENT);
    }

    public boolean hasFlag(int flag) {
        return (flags & flag) != 0;
    }
}
