package org.xfrmbridge.esp;

/**
 * ESP of one SA in one direction (RFC 4303), in place:
 *
 * <pre>
 *   espOffset
 *   | SPI 4 | seq 4 | IV | payload ... | pad | pad length 1 | next header 1 | ICV |
 * </pre>
 *
 * Confined to one thread, the datapath thread that owns the SA's runtime; only {@link #sizes} may be called from any.
 * Cheap until first used: ciphers are set up, and random bytes for IVs drawn, by the first packet. Per packet our code
 * allocates nothing but the parameter object with its IV that the JCE wants; the JCE itself makes 1 to 2 KB of
 * short-lived garbage, and an exception for a wrong ICV.
 */
public interface EspTransform extends Wipeable {
    /** The ICV does not match. */
    int AUTH_FAILED = -1;
    /** Lengths do not fit, or the authenticated trailer says more padding than there is payload. */
    int MALFORMED = -2;
    /** The keys were wiped: the SA is being deleted. */
    int WIPED = -3;

    EspSizes sizes();

    /** Protects a payload as it is, without TFC padding. */
    default int seal(byte[] data, int espOffset, int payloadBytes, int nextHeader, long sequence) {
        return seal(data, espOffset, payloadBytes, payloadBytes, nextHeader, sequence);
    }

    /**
     * Protects the payload that the caller has placed at {@code espOffset + sizes().payloadOffset()}, with room for the
     * rest around it.
     *
     * @param leastBytes a shorter payload is made that long with zeros (TFC padding, RFC 4303 2.7)
     * @param nextHeader protocol number of the payload
     * @param sequence from {@link OutboundSequence}; the low 32 bits are sent, the high ones are authenticated if the
     *     SA is extended
     * @return length of the whole ESP packet, or {@link #WIPED}
     */
    int seal(byte[] data, int espOffset, int payloadBytes, int leastBytes, int nextHeader, long sequence);

    /**
     * Verifies, in constant time, then decrypts. The payload is then at {@code espOffset + sizes().payloadOffset()}. On
     * failure the packet's content is undefined.
     *
     * @param espBytes length of the ESP packet, header to ICV
     * @param sequence from {@link ReplayWindow#infer}
     * @return length of the payload, at least 1 as in the kernel, or a negative code of this interface
     */
    int open(byte[] data, int espOffset, int espBytes, long sequence);

    /** Next header of the packet opened last. */
    int nextHeader();

    /** Every later call answers {@link #WIPED}. */
    @Override
    void wipe();
}
