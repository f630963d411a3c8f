package org.xfrmbridge.esp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What every transform does around its cipher: header and trailer, bounds, and the end of life. Subclasses set up their
 * ciphers in {@link #start}, once, before the first packet.
 */
abstract sealed class EspFrame implements EspTransform permits AeadEsp, EncryptThenMacEsp {
    static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private enum Phase {
        IDLE,
        RUNNING,
        WIPED
    }

    final EspSizes sizes;
    final boolean extended;
    final IvSource ivSource;
    private final int spi;
    private Phase phase = Phase.IDLE;
    private int nextHeader;

    EspFrame(EspSetup setup) {
        sizes = setup.sizes();
        spi = setup.spi();
        extended = setup.width() == SequenceWidth.EXTENDED;
        ivSource = setup.ivSource();
    }

    /** Sets ciphers up; throws {@link KeyMaterial.WipedException} when the keys are gone. */
    abstract void start();

    /** Forgets ciphers and wipes what {@link #start} made. */
    abstract void stop();

    /** Writes IV and ICV, encrypts. */
    abstract void protect(byte[] data, int espOffset, int textBytes, long sequence);

    /** Verifies and decrypts: 0, or a negative code. */
    abstract int unprotect(byte[] data, int espOffset, int textBytes, long sequence);

    @Override
    public final EspSizes sizes() {
        return sizes;
    }

    @Override
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

    @Override
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

    @Override
    public final int nextHeader() {
        return nextHeader;
    }

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
        int padBytes = -(payloadBytes + EspSizes.TRAILER_BYTES) & (sizes.alignmentBytes() - 1);
        for (int i = 1; i <= padBytes; i++) {
            data[position++] = (byte) i;
        }
        data[position] = (byte) padBytes;
        data[position + 1] = (byte) nextHeader;
        return payloadBytes + padBytes + EspSizes.TRAILER_BYTES;
    }

    /**
     * As in the kernel at least one payload byte must be left, and the pad bytes are not looked at: there are senders
     * that fill them with zeros.
     */
    private int stripTrailer(byte[] data, int payloadOffset, int textBytes) {
        if (textBytes < EspSizes.TRAILER_BYTES) {
            return MALFORMED;
        }
        int padBytes = data[payloadOffset + textBytes - 2] & 0xff;
        nextHeader = data[payloadOffset + textBytes - 1] & 0xff;
        int payloadBytes = textBytes - EspSizes.TRAILER_BYTES - padBytes;
        return payloadBytes > 0 ? payloadBytes : MALFORMED;
    }
}
