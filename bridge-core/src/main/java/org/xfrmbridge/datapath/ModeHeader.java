package org.xfrmbridge.datapath;

import java.util.function.IntUnaryOperator;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * How the mode of a State arranges headers on the way out ({@code xfrm_outer_mode_output}). The payload never moves:
 * what goes before it is written in front.
 *
 * <pre>
 *   offset                   payload
 *   | outer header | UDP | ESP, IV | payload | room for trailer and ICV |
 *                   <- headBytes ->
 * </pre>
 */
abstract sealed class ModeHeader permits TransportHeader, TunnelHeader, BeetHeader {
    /** {@link #prepare} cannot serve this packet. */
    static final int IMPOSSIBLE = -1;

    /** The header for packets of that family, or null where the mode is not one of ours. */
    static ModeHeader of(StateSpec spec, int innerFamily, Identifications identifications) {
        return switch (spec.mode()) {
            case TRANSPORT -> new TransportHeader(spec.family());
            case TUNNEL -> new TunnelHeader(spec, innerFamily, identifications);
            case BEET -> new BeetHeader(spec, innerFamily);
            default -> null;
        };
    }

    /**
     * Writes the header that goes in front, all but its lengths, and leaves {@code packet.offset} there,
     * {@code packet.payload} at what is protected and {@code packet.protocolAt} at the byte that must say how.
     *
     * @param headBytes room to leave for the headers of the State, IV included
     * @return what the payload is, or {@link #IMPOSSIBLE}
     */
    abstract int prepare(IpPacket packet, int headBytes);

    /** The family of the packet afterwards. */
    abstract int outerFamily();

    /** By how much the header in front can grow, the State's own not counted. */
    abstract int growthBytes();

    /**
     * The longest packet that becomes one of at most {@code mtuBytes}; {@code xfrm_state_mtu}.
     *
     * @param maxPayloadFor the longest payload that the State puts into so many bytes behind the header
     */
    abstract int innerMtu(int mtuBytes, IntUnaryOperator maxPayloadFor);
}
