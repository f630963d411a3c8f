package org.xfrmbridge.daemon.packets;

import java.util.List;
import org.xfrmbridge.explain.PacketReport;

/**
 * The latest drops, those of one kind together; the form of {@code drops --json}.
 *
 * @param drops how many are remembered
 * @param unseen how many were not looked at, as there were too many in a second
 * @param kinds the latest first
 * @param otherKinds how many kinds are left out
 */
public record DropsReport(int drops, long unseen, List<Kind> kinds, int otherKinds) {
    /** Drops of one cause, policy and SPI. @param latest one of them, whole */
    public record Kind(int count, String first, String last, PacketReport latest) {}
}
