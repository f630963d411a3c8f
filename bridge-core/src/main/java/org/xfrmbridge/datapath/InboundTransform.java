package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** What a State takes off a packet that came in: {@code xfrm_type.input}. Inbound thread only. */
abstract sealed class InboundTransform permits EspInput, AhInput, CompressionInput, IpipInput {
    static final int OPENED = 0;
    static final int AUTH_FAILED = EspTransform.AUTH_FAILED;
    static final int MALFORMED = EspTransform.MALFORMED;

    /** @param codec the thread's own */
    static InboundTransform of(State state, DeflateCodec codec) {
        StateSpec spec = state.spec();
        SequenceWidth width = spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT;
        Suite suite = state.suite();
        // The first packet waits: a switch over types would make a class for itself.
        if (suite instanceof EspSuite esp) {
            return new EspInput(esp.transform(spec.id().spi(), width));
        }
        if (suite instanceof AhSuite ah) {
            return new AhInput(ah, width, spec);
        }
        if (suite instanceof Suite.Deflate) {
            return new CompressionInput(codec);
        }
        if (suite instanceof Suite.Ipip) {
            return new IpipInput();
        }
        throw new IllegalStateException("no transform of " + suite);
    }

    /**
     * Opens what stands at {@code packet.payload} and tells where the contents are.
     *
     * @param number the whole sequence number
     * @return {@link #OPENED}, {@link #AUTH_FAILED}, or another negative number
     */
    abstract int open(IpPacket packet, ModeInput.Opened opened, long number);

    /** The longest payload that fits into so many bytes with all that is taken off; negative where nothing does. */
    abstract int maxPayloadFor(int roomBytes);

    /** Drops ciphers and wipes their keys. */
    void wipe() {}
}
