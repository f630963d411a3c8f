package org.xfrmbridge.esp;

/**
 * What an SA does to packets besides its mode, with keys where it has any. Made by the control thread when the SA is
 * installed, read by datapath threads; cheap, as nothing is computed before the first packet.
 */
public sealed interface Suite permits EspSuite, AhSuite, Suite.Deflate, Suite.Ipip {
    /**
     * IPComp with DEFLATE (RFC 3173, RFC 2394). It has no state between packets: threads bring their own
     * {@link DeflateCodec}.
     *
     * @param thresholdBytes shorter payloads are not worth the trouble and stay as they are
     */
    record Deflate(int thresholdBytes) implements Suite, AlgorithmEngine {
        /** With the threshold of the kernel's algorithm table. */
        public static final Deflate DEFAULT = new Deflate(90);
    }

    /** Nothing: IP in IP, for the packets that an IPComp tunnel sent uncompressed. */
    record Ipip() implements Suite {
        public static final Ipip INSTANCE = new Ipip();
    }
}
