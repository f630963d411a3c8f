package org.xfrmbridge.esp;

/**
 * The lengths that an SA's algorithms give to an ESP packet; all arithmetic that PMTU needs.
 *
 * @param ivBytes explicit IV
 * @param blockBytes cipher block, 1 for stream modes
 * @param icvBytes integrity check value, 0 without integrity
 */
public record EspLengths(int ivBytes, int blockBytes, int icvBytes) {
    /** SPI and sequence number. */
    public static final int HEADER_BYTES = 8;
    /** Pad length and next header. */
    public static final int TRAILER_BYTES = 2;

    /** From the start of the ESP header to the first byte of the payload. */
    public int payloadOffset() {
        return HEADER_BYTES + ivBytes;
    }

    /** Unit of payload, padding and trailer together: the cipher's block and RFC 4303's 4 bytes. */
    public int alignmentBytes() {
        return Math.max(4, blockBytes);
    }

    /**
     * Exact length of the ESP packet, header to ICV, that holds a payload of this many bytes (TFC padding counted in).
     */
    public int sealedBytes(int payloadBytes) {
        return payloadOffset() + align(payloadBytes + TRAILER_BYTES) + icvBytes;
    }

    /** What {@link #sealedBytes} can add to a payload at most. */
    public int overheadBytes() {
        return payloadOffset() + alignmentBytes() - 1 + TRAILER_BYTES + icvBytes;
    }

    /**
     * The longest payload whose ESP packet fits, as {@code xfrm_state_mtu} computes it.
     *
     * @param espBytes room between the outer headers and the MTU
     * @return negative where not even the overhead fits
     */
    public int maxPayloadFor(int espBytes) {
        int room = espBytes - payloadOffset() - icvBytes;
        return (room & -alignmentBytes()) - TRAILER_BYTES;
    }

    private int align(int bytes) {
        int unit = alignmentBytes();
        return (bytes + unit - 1) & -unit;
    }
}
