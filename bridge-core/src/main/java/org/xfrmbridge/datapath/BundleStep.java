package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.esp.OutboundSequence;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** One State of a {@link Bundle}, with all that can be worked out before a packet comes. Outbound thread only. */
final class BundleStep {

    private final State state;
    private final StateSpec spec;
    private final ModeHeader mode;
    private final OutboundTransform transform;

    private BundleStep(State state, StateSpec spec, ModeHeader mode, OutboundTransform transform) {
        this.state = state;
        this.spec = spec;
        this.mode = mode;
        this.transform = transform;
    }

    /** Null where the State cannot carry packets of that family in its mode. */
    static BundleStep of(State state, int innerFamily, Identifications identifications, DeflateCodec codec) {
        StateSpec spec = state.spec();
        ModeHeader mode = ModeHeader.of(spec, innerFamily, identifications);
        OutboundTransform transform = OutboundTransform.of(state, spec, codec);
        return mode == null || transform == null ? null : new BundleStep(state, spec, mode, transform);
    }

    /** Whether the State still is what this was made from. */
    boolean isFresh() {
        return state.isValid() && state.spec() == spec;
    }

    State state() {
        return state;
    }

    int outerFamily() {
        return mode.outerFamily();
    }

    boolean hasOuterHeader() {
        return !(mode instanceof TransportHeader);
    }

    /** Whether it carries a fragment as well as a whole packet; not if its header says no more of what it carries. */
    boolean takesFragments(int innerFamily) {
        return mode instanceof TunnelHeader || mode instanceof BeetHeader && innerFamily == AddressFamily.INET6;
    }

    int headBytes() {
        return transform.headBytes() + mode.growthBytes();
    }

    int tailBytes() {
        return transform.tailBytes();
    }

    int innerMtu(int outerMtu) {
        return mode.innerMtu(outerMtu, transform::maxPayloadFor);
    }

    /** Traffic flow confidentiality: payloads are padded to the wanted size, as far as that fits. */
    void limitPadding(int innerMtu) {
        transform.limitPadding(innerMtu);
    }

    /**
     * The packet through this State, in the order of the kernel's {@code xfrm_output_one}: it decides which counter
     * moves, and that the bytes counted are those that are protected, padding not included. Whether the State is valid
     * was asked when the packet took its route: if it goes now, this packet was before that.
     */
    DropCause apply(IpPacket packet, DatapathEvents events, long nowSeconds) {
        // 1 mode header
        int nextHeader = mode.prepare(packet, transform.headBytes());
        if (nextHeader < 0) {
            return DropCause.OUT_MODE_REFUSED;
        }
        // 2 meant for this direction
        if (spec.direction() != 0 && spec.direction() != StateSpec.DIRECTION_OUT) {
            return DropCause.OUT_STATE_FOR_IN;
        }
        // 3 within its lifetime
        if (state.isLimitReached()) {
            events.limitReached(state);
            if (state.isSpent()) {
                return DropCause.OUT_LIMIT_REACHED;
            }
        }
        // 4 next sequence number
        OutboundSequence sequence = state.sequence();
        if (transform.isNumbered() && !advance(sequence, events)) {
            return DropCause.OUT_NUMBERS_USED_UP;
        }
        // 5 account
        state.count(packet.payloadBytes(), nowSeconds);
        // 6 seal
        return transform.seal(packet, nextHeader, sequence.last());
    }

    private boolean advance(OutboundSequence sequence, DatapathEvents events) {
        if (!sequence.next()) {
            return false;
        }
        if (events.hearsReplay() && state.isSentNoticeDue(sequence.oseq())) {
            events.replayAdvanced(state);
        }
        return true;
    }
}
