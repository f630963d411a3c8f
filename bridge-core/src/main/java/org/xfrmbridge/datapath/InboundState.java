package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.EspSizes;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.ReplayVerdict;
import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** A State at work on inbound packets: {@code State.inbound}. Inbound thread only. */
final class InboundState {
    private static final int DIRECTION_IN = 1;
    private static final int SEQUENCE = 4;

    private final State state;
    private final EspTransform transform;
    private final EspSizes sizes;

    private InboundState(State state) {
        this.state = state;
        StateSpec spec = state.spec();
        transform = state.suite().transform(spec.id().spi(), spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT);
        sizes = transform.sizes();
    }

    /** Made with the first packet. Only for a State that has algorithms. */
    static InboundState of(State state) {
        if (state.inbound == null) {
            state.inbound = new InboundState(state);
        }
        return (InboundState) state.inbound;
    }

    /** Whether packets may come in through a State at all; null if so. {@code xfrm_input}, its first checks. */
    static DropReason admits(State state) {
        int direction = state.spec().direction();
        if (direction != 0 && direction != DIRECTION_IN) {
            return DropReason.IN_STATE_DIR_ERROR;
        }
        if (!state.isValid()) {
            return state.phase() == State.Phase.ACQUIRING ? DropReason.ACQUIRE_ERROR : DropReason.IN_STATE_INVALID;
        }
        return state.suite() == null ? DropReason.IN_STATE_PROTO_ERROR : null;
    }

    /**
     * Opens the ESP packet at {@code packet.payload}, in the order of the kernel's {@code xfrm_input}.
     *
     * @param encapsulationType how it came: 0 bare, 2 in UDP
     * @param opened its {@code headerBytes} are set; says where the payload is afterwards
     */
    DropReason open(IpPacket packet, int encapsulationType, ModeStrip.Opened opened, DatapathEvents events) {
        StateSpec spec = state.spec();
        // 1 came as agreed
        Encapsulation agreed = spec.encapsulation();
        if ((agreed == null ? 0 : agreed.type()) != encapsulationType) {
            return DropReason.IN_STATE_MISMATCH;
        }
        // 2 sequence number may be new
        byte[] data = packet.data();
        ReplayWindow window = state.replayWindow();
        int sequence = Bytes.i32(data, packet.payload + SEQUENCE);
        if (window.check(sequence) != ReplayVerdict.NEW) {
            return DropReason.IN_STATE_SEQ_ERROR;
        }
        // 3 within its lifetime
        if (Limits.exceeded(state, events)) {
            return DropReason.IN_STATE_EXPIRED;
        }
        // 4 open; a dummy packet (RFC 4303 2.6) ends here, and a kernel counts it so
        long number = window.infer(sequence);
        int payloadBytes = transform.open(data, packet.payload, packet.payloadBytes(), number);
        if (payloadBytes == EspTransform.AUTH_FAILED) {
            state.countIntegrityFailure();
        }
        if (payloadBytes < 0 || transform.nextHeader() == IpProtocol.NONE) {
            return DropReason.IN_STATE_PROTO_ERROR;
        }
        // 5 sequence number is new
        if (window.advance(number) != ReplayVerdict.NEW) {
            return DropReason.IN_STATE_SEQ_ERROR;
        }
        if (events.hearsReplay() && state.isReceivedNoticeDue((int) number)) {
            events.replayAdvanced(state);
        }
        opened.payloadAt = packet.payload + sizes.payloadOffset();
        opened.payloadBytes = payloadBytes;
        opened.nextHeader = transform.nextHeader();
        return null;
    }

    /** Counts what ESP protected: the payload, without header, padding and ICV. */
    void account(int payloadBytes, long nowSeconds) {
        state.usage().count(payloadBytes, nowSeconds);
    }

    /** An authenticated packet from elsewhere than agreed: the NAT in between has another mapping (RFC 3948 4, {@code km_new_mapping}). */
    void noteMapping(IpPacket packet, int sourcePort, DatapathEvents events) {
        StateSpec spec = state.spec();
        byte[] data = packet.data();
        long high = packet.isIpv4()
                ? (long) Bytes.i32(data, packet.offset + Ipv4.SOURCE) << 32
                : Bytes.i64(data, packet.offset + Ipv6.SOURCE);
        long low = packet.isIpv4() ? 0 : Bytes.i64(data, packet.offset + Ipv6.SOURCE + 8);
        boolean sameSource = packet.isIpv4()
                ? spec.saddr().ipv4() == (int) (high >>> 32)
                : spec.saddr().high() == high && spec.saddr().low() == low;
        if (!sameSource || spec.encapsulation().sport() != sourcePort) {
            events.mappingChanged(state, new Address(high, low), sourcePort);
        }
    }
}
