package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.esp.ReplayVerdict;
import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.esp.Wipeable;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** A State at work on inbound packets: {@link State#inbound}. Inbound thread only. */
final class InboundState implements Wipeable {
    /** What the policies said to the packets it brought, and to those in which ESP came in UDP. */
    final VerdictCache verdicts = new VerdictCache();

    private final State state;
    private final int protocol;
    private final InboundTransform transform;

    private InboundState(State state, DeflateCodec codec) {
        this.state = state;
        protocol = state.id().protocol();
        transform = InboundTransform.of(state, codec);
    }

    /** Made with the first packet. Only for a State that has algorithms. */
    static InboundState of(State state, DeflateCodec codec) {
        if (state.inbound() instanceof InboundState known) {
            return known;
        }
        InboundState made = new InboundState(state, codec);
        state.setInbound(made);
        return made;
    }

    @Override
    public void wipe() {
        transform.wipe();
    }

    /** Whether packets may come in through a State at all; null if so. {@code xfrm_input}, its first checks. */
    static DropCause admits(State state) {
        int direction = state.spec().direction();
        if (direction != 0 && direction != StateSpec.DIRECTION_IN) {
            return DropCause.IN_STATE_FOR_OUT;
        }
        if (!state.isValid()) {
            return state.phase() == State.Phase.ACQUIRING ? DropCause.IN_STATE_LARVAL : DropCause.IN_STATE_ENDED;
        }
        return state.suite() == null ? DropCause.IN_NO_ALGORITHM : null;
    }

    /**
     * Opens what stands at {@code packet.payload}, in the order of the kernel's {@code xfrm_input}.
     *
     * @param encapsulationType how it came: 0 bare, 2 in UDP
     * @param opened its {@code headerBytes} are set; says where the payload is afterwards
     */
    DropCause open(IpPacket packet, int encapsulationType, ModeInput.Opened opened, DatapathEvents events) {
        // 1 came as agreed
        Encapsulation agreed = state.spec().encapsulation();
        if ((agreed == null ? 0 : agreed.type()) != encapsulationType) {
            opened.sequence = 0;
            return DropCause.IN_ENCAPSULATION_DIFFERS;
        }
        // 2 sequence number may be new
        ReplayWindow window = state.replayWindow();
        int sequence = SecurityHeader.sequence(protocol, packet.data(), packet.payload);
        ReplayVerdict verdict = window.check(sequence);
        if (verdict != ReplayVerdict.NEW) {
            opened.sequence = Integer.toUnsignedLong(sequence);
            return causeOf(verdict);
        }
        // 3 within its lifetime
        if (state.isLimitReached()) {
            events.limitReached(state);
            if (state.isSpent()) {
                opened.sequence = Integer.toUnsignedLong(sequence);
                return DropCause.IN_LIMIT_REACHED;
            }
        }
        // 4 open
        long number = window.infer(sequence);
        opened.sequence = number;
        int result = transform.open(packet, opened, number);
        if (result != InboundTransform.OPENED) {
            if (result == InboundTransform.AUTH_FAILED) {
                state.countIntegrityFailure();
                return DropCause.IN_NOT_AUTHENTIC;
            }
            return DropCause.IN_MALFORMED;
        }
        // 5 sequence number is new
        verdict = window.advance(number);
        if (verdict != ReplayVerdict.NEW) {
            return causeOf(verdict);
        }
        if (window.windowBits() != 0 && events.hearsReplay() && state.isReceivedNoticeDue((int) number)) {
            events.replayAdvanced(state);
        }
        return null;
    }

    private static DropCause causeOf(ReplayVerdict verdict) {
        return switch (verdict) {
            case ZERO -> DropCause.IN_NUMBER_ZERO;
            case OUTSIDE -> DropCause.IN_OUTSIDE_WINDOW;
            default -> DropCause.IN_REPLAYED;
        };
    }

    /** The longest packet of a family that becomes one of at most {@code mtuBytes} where it is protected so. */
    int innerMtu(int mtuBytes, int innerFamily) {
        StateSpec spec = state.spec();
        int udpBytes = spec.encapsulation() == null ? 0 : Udp.HEADER_BYTES;
        return ModeHeader.of(spec, innerFamily, new Identifications(0, 1))
                .innerMtu(mtuBytes, room -> transform.maxPayloadFor(room - udpBytes));
    }

    /** Counts what was protected: the payload, without header, padding and ICV. */
    void account(int payloadBytes, long nowSeconds) {
        state.count(payloadBytes, nowSeconds);
    }

    /**
     * An authenticated packet from elsewhere than agreed: the NAT in between has another mapping (RFC 3948 4,
     * {@code km_new_mapping}).
     */
    void noteMapping(IpPacket packet, int sourcePort, DatapathEvents events, PacketSight sight) {
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
            Address source = new Address(high, low);
            events.mappingChanged(state, source, sourcePort);
            sight.moved(spec, source, sourcePort);
        }
    }
}
