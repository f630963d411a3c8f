package org.xfrmbridge.netlink.client;

import java.nio.ByteBuffer;
import org.xfrmbridge.netlink.map.StateDecoder;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * Counters of a State as NEWAE tells them.
 *
 * @param id of the State, and why this is told: {@code AE_} bits
 * @param replay its sequence numbers; null if not told
 * @param current bytes and packets; null if not told
 * @param replayMaxDifference packets between two events, {@link StateSpec#ABSENT} if not told
 * @param replayMaxAge tenths of a second between two events, {@link StateSpec#ABSENT} if not told
 */
public record ReplayEntry(
        AeventId id, ReplayState replay, LifetimeCurrent current, int replayMaxDifference, int replayMaxAge) {
    static ReplayEntry of(ByteBuffer payload) {
        AeventId id = AeventId.read(payload);
        Attributes attributes = Attributes.parse(payload, AeventId.BYTES, XfrmAttribute.MAX);
        ReplayState bitmap = StateDecoder.bitmapUpdate(attributes);
        return new ReplayEntry(
                id,
                bitmap != null ? bitmap : StateDecoder.plainReplay(attributes),
                StateDecoder.usage(attributes),
                attributes.getInt(XfrmAttribute.REPLAY_THRESH, StateSpec.ABSENT),
                attributes.getInt(XfrmAttribute.ETIMER_THRESH, StateSpec.ABSENT));
    }
}
