package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.AhTransform;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What a State does to a packet on its way out, once its mode has put a header in front: {@code xfrm_type.output}.
 * Outbound thread only.
 */
abstract sealed class OutboundTransform permits EspOutput, AhOutput, CompressionOutput {
    /**
     * Null for a State that cannot send. The State keeps the transform that owns its IVs, however often this is made
     * anew.
     *
     * @param codec the thread's own
     */
    static OutboundTransform of(State state, StateSpec spec, DeflateCodec codec) {
        SequenceWidth width = spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT;
        Suite suite = state.suite();
        // The first packet waits: a switch over types would make a class for itself.
        if (suite instanceof EspSuite esp) {
            if (state.outbound() == null) {
                state.setOutbound(esp.transform(spec.id().spi(), width));
            }
            return new EspOutput((EspTransform) state.outbound(), spec);
        }
        if (suite instanceof AhSuite ah) {
            if (state.outbound() == null) {
                state.setOutbound(ah.transform(width));
            }
            return new AhOutput((AhTransform) state.outbound(), ah.icvBytes(), spec);
        }
        return suite instanceof Suite.Deflate deflate
                ? new CompressionOutput(
                        codec, deflate.thresholdBytes(), spec.id().spi())
                : null;
    }

    /** Room for headers of its own, between the outer header and what is protected. */
    abstract int headBytes();

    /** By how much the packet can grow behind, or what is written behind it for a moment. */
    abstract int tailBytes();

    /** The longest payload that fits into so many bytes with all that is added; negative where nothing does. */
    abstract int maxPayloadFor(int roomBytes);

    /** Whether packets carry sequence numbers: {@code XFRM_TYPE_REPLAY_PROT}. */
    abstract boolean isNumbered();

    /** Traffic flow confidentiality: payloads are padded as far as that fits. */
    void limitPadding(int innerMtu) {}

    /**
     * Protects {@code packet.payload} up to the packet's end and completes the header in front.
     *
     * @param nextHeader what the payload is
     * @param number the sequence number, if it {@link #isNumbered}
     * @return null, or why not
     */
    abstract DropCause seal(IpPacket packet, int nextHeader, long number);
}
