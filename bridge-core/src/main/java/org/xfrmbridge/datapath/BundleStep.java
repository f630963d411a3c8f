package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.EspSizes;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.OutboundSequence;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** One State of a {@link Bundle}, with all that can be worked out before a packet comes. Outbound thread only. */
final class BundleStep {
    private static final int DIRECTION_OUT = 2;

    private final State state;
    private final StateSpec spec;
    private final ModeHeader mode;
    private final EspSizes sizes;
    private final EspTransform transform;
    private final int headBytes;

    private BundleStep(State state, StateSpec spec, ModeHeader mode, EspTransform transform) {
        this.state = state;
        this.spec = spec;
        this.mode = mode;
        this.transform = transform;
        sizes = transform.sizes();
        headBytes = sizes.payloadOffset() + (spec.encapsulation() == null ? 0 : Udp.HEADER_BYTES);
    }

    /** Null where the State cannot carry packets of that family in its mode. */
    static BundleStep of(State state, int innerFamily, IdentificationSource identifications) {
        StateSpec spec = state.spec();
        ModeHeader mode = ModeHeader.of(spec, innerFamily, identifications);
        EspTransform transform = transformOf(state, spec);
        return mode == null || transform == null ? null : new BundleStep(state, spec, mode, transform);
    }

    /** The State's transform is made once, however many bundles use it: it owns the IVs. */
    private static EspTransform transformOf(State state, StateSpec spec) {
        if (state.outbound == null && state.suite() != null) {
            state.outbound = state.suite().transform(spec.id().spi(), spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT);
        }
        return (EspTransform) state.outbound;
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

    int headBytes() {
        return headBytes + mode.growthBytes();
    }

    int tailBytes() {
        return sizes.overheadBytes() + spec.tfcPadBytes();
    }

    int innerMtu(int outerMtu) {
        return mode.innerMtu(outerMtu, sizes, spec);
    }

    /** Traffic flow confidentiality: payloads are padded to the wanted size, as far as that fits. */
    void limitPadding(int innerMtu) {
        transform.padPayloadTo(Math.min(spec.tfcPadBytes(), Math.max(innerMtu, 0)));
    }

    /**
     * The packet through this State, in the order of the kernel's {@code xfrm_output_one}: it decides which counter moves, and that the
     * bytes counted are those that ESP protects, padding not included.
     */
    DropReason apply(IpPacket packet, DatapathEvents events, long nowSeconds) {
        // 1 mode header
        int nextHeader = mode.prepare(packet, headBytes);
        if (nextHeader < 0) {
            return DropReason.OUT_STATE_MODE_ERROR;
        }
        // 2 valid, and meant for this direction
        if (!state.isValid()) {
            return DropReason.OUT_STATE_INVALID;
        }
        if (spec.direction() != 0 && spec.direction() != DIRECTION_OUT) {
            return DropReason.OUT_STATE_DIR_ERROR;
        }
        // 3 within its lifetime
        if (Limits.exceeded(state, events)) {
            return DropReason.OUT_STATE_EXPIRED;
        }
        // 4 next sequence number
        OutboundSequence sequence = state.sequence();
        if (!sequence.next()) {
            return DropReason.OUT_STATE_SEQ_ERROR;
        }
        long number = sequence.last();
        if (events.hearsReplay() && state.isSentNoticeDue((int) number)) {
            events.replayAdvanced(state);
        }
        // 5 account
        int payloadBytes = packet.payloadBytes();
        state.usage().count(payloadBytes, nowSeconds);
        // 6 seal
        int espAt = packet.payload - sizes.payloadOffset();
        int espBytes = transform.seal(packet.data(), espAt, payloadBytes, nextHeader, number);
        return espBytes < 0 ? DropReason.OUT_STATE_PROTO_ERROR : finish(packet, espAt, espBytes);
    }

    private DropReason finish(IpPacket packet, int espAt, int espBytes) {
        int total = espAt + espBytes - packet.offset;
        if (total > 0xffff) {
            return DropReason.OUT_ERROR;
        }
        boolean inUdp = spec.encapsulation() != null;
        packet.protocol = inUdp ? IpProtocol.UDP : IpProtocol.ESP;
        Bytes.putU8(packet.data(), packet.protocolAt, packet.protocol);
        packet.resize(total);
        if (inUdp) {
            UdpEncapsulation.write(packet, espAt, spec.encapsulation());
        }
        return null;
    }
}
