package org.xfrmbridge.esp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

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
 *
 * <p>What stands here is common to all: header and trailer, bounds, and the end of life. Subclasses add what encrypts.
 */
public abstract sealed class EspTransform implements Wipeable permits AeadEsp, EncryptThenMacEsp {
    /** The ICV does not match. */
    public static final int AUTH_FAILED = -1;
    /** Lengths do not fit, or the authenticated trailer says more padding than there is payload. */
    public static final int MALFORMED = -2;
    /** The keys were wiped: the SA is being deleted. */
    public static final int WIPED = -3;

    static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private enum Phase {
        IDLE,
        RUNNING,
        WIPED
    }

    final EspLengths sizes;
    final boolean extended;
    final IvSource ivSource;
    private final int spi;
    private Phase phase = Phase.IDLE;
    private int nextHeader;

    EspTransform(EspSuite suite, int spi, SequenceWidth width, IvSource ivSource) {
        sizes = suite.sizes();
        this.spi = spi;
        extended = width == SequenceWidth.EXTENDED;
        this.ivSource = ivSource;
    }

    /**
     * Sets ciphers up, once before the first packet; throws {@link KeyMaterial.WipedException} when the keys are gone.
     */
    abstract void start();

    /** Forgets ciphers and wipes what {@link #start} made. */
    abstract void stop();

    /** Writes IV and ICV, encrypts. */
    abstract void protect(byte[] data, int espOffset, int textBytes, long sequence);

    /** Verifies and decrypts: 0, or a negative code. */
    abstract int unprotect(byte[] data, int espOffset, int textBytes, long sequence);

    public final EspLengths sizes() {
        return sizes;
    }

    /** Protects a payload as it is, without TFC padding. */
    public final int seal(byte[] data, int espOffset, int payloadBytes, int nextHeader, long sequence) {
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
    public final int seal(byte[] data, int espOffset, int payloadBytes, int leastBytes, int nextHeader, long sequence) {
        if (phase != Phase.RUNNING && !ready()) {
            return WIPED;
        }
        INT.set(data, espOffset, spi);
        INT.set(data, espOffset + 4, (int) sequence);
        int payloadOffset = espOffset + sizes.payloadOffset();
        int padded = Math.max(payloadBytes, leastBytes);
        Arrays.fill(data, payloadOffset + payloadBytes, payloadOffset + padded, (byte) 0);
        int textBytes = appendTrailer(data, payloadOffset, padded, nextHeader);
        try {
            protect(data, espOffset, textBytes, sequence);
        } catch (RuntimeException | Error fault) {
            restart();
            throw fault;
        }
        return sizes.payloadOffset() + textBytes + sizes.icvBytes();
    }

    /**
     * Verifies, in constant time, then decrypts. The payload is then at {@code espOffset + sizes().payloadOffset()}. On
     * failure the packet's content is undefined.
     *
     * @param espBytes length of the ESP packet, header to ICV
     * @param sequence from {@link ReplayWindow#infer}
     * @return length of the payload, at least 1 as in the kernel, or a negative code of this interface
     */
    public final int open(byte[] data, int espOffset, int espBytes, long sequence) {
        if (phase != Phase.RUNNING && !ready()) {
            return WIPED;
        }
        int payloadOffset = espOffset + sizes.payloadOffset();
        int textBytes = espBytes - sizes.payloadOffset() - sizes.icvBytes();
        if (textBytes < 0) {
            return MALFORMED;
        }
        int failure;
        try {
            failure = unprotect(data, espOffset, textBytes, sequence);
        } catch (RuntimeException | Error fault) {
            restart();
            throw fault;
        }
        return failure < 0 ? failure : stripTrailer(data, payloadOffset, textBytes);
    }

    /** Next header of the packet opened last. */
    public final int nextHeader() {
        return nextHeader;
    }

    /** Every later call answers {@link #WIPED}. */
    @Override
    public final void wipe() {
        if (phase == Phase.RUNNING) {
            stop();
        }
        phase = Phase.WIPED;
    }

    /** Ciphers may hold half a packet after a fault: the next packet makes new ones. */
    private void restart() {
        phase = Phase.IDLE;
        stop();
    }

    private boolean ready() {
        if (phase == Phase.IDLE) {
            try {
                start();
                phase = Phase.RUNNING;
            } catch (KeyMaterial.WipedException wiped) {
                phase = Phase.WIPED;
            }
        }
        return phase == Phase.RUNNING;
    }

    /** 1, 2, 3 ... up to the alignment (RFC 4303 2.4), pad length, next header; returns bytes to encrypt. */
    private int appendTrailer(byte[] data, int payloadOffset, int payloadBytes, int nextHeader) {
        int position = payloadOffset + payloadBytes;
        int padBytes = -(payloadBytes + EspLengths.TRAILER_BYTES) & (sizes.alignmentBytes() - 1);
        for (int i = 1; i <= padBytes; i++) {
            data[position++] = (byte) i;
        }
        data[position] = (byte) padBytes;
        data[position + 1] = (byte) nextHeader;
        return payloadBytes + padBytes + EspLengths.TRAILER_BYTES;
    }

    /**
     * As in the kernel at least one payload byte must be left, and the pad bytes are not looked at: there are senders
     * that fill them with zeros.
     */
    private int stripTrailer(byte[] data, int payloadOffset, int textBytes) {
        if (textBytes < EspLengths.TRAILER_BYTES) {
            return MALFORMED;
        }
        int padBytes = data[payloadOffset + textBytes - 2] & 0xff;
        nextHeader = data[payloadOffset + textBytes - 1] & 0xff;
        int payloadBytes = textBytes - EspLengths.TRAILER_BYTES - padBytes;
        return payloadBytes > 0 ? payloadBytes : MALFORMED;
    }
}
