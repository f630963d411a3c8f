package org.xfrmbridge.esp;

import java.util.Arrays;

/**
 * The integrity check of one AH SA in one direction (RFC 4302 2.6), in place. The caller has cleared what changes on
 * the way and knows where the header stands. With extended numbers the high half counts as if it followed the packet
 * (RFC 4302 2.5.1): it is put there, in {@link #tailBytes} of room.
 *
 * <p>Confined to one datapath thread; the MAC is set up by the first packet.
 */
public final class AhTransform implements Wipeable {
    private final KeyedAlgorithm auth;
    private final int tailBytes;
    private final byte[] received;
    private PacketMac mac;
    private boolean wiped;

    AhTransform(KeyedAlgorithm auth, int icvBytes, SequenceWidth width) {
        this.auth = auth;
        tailBytes = width == SequenceWidth.EXTENDED ? Integer.BYTES : 0;
        received = new byte[icvBytes];
    }

    /** Room behind the packet that both methods overwrite. */
    public int tailBytes() {
        return tailBytes;
    }

    /**
     * Writes the ICV.
     *
     * @param start of the IP header
     * @param end behind the packet's last byte
     * @param sequence from {@link OutboundSequence}
     * @return 0, or {@link EspTransform#WIPED}
     */
    public int sign(byte[] data, int start, int end, int icvAt, long sequence) {
        if (!ready()) {
            return EspTransform.WIPED;
        }
        if (mac != null) {
            System.arraycopy(compute(data, start, end, icvAt, sequence), 0, data, icvAt, received.length);
        }
        return 0;
    }

    /**
     * Compares the ICV, in constant time; its place is zero afterwards.
     *
     * @param sequence from {@link ReplayWindow#infer}
     * @return 0, {@link EspTransform#AUTH_FAILED} or {@link EspTransform#WIPED}
     */
    public int verify(byte[] data, int start, int end, int icvAt, long sequence) {
        if (!ready()) {
            return EspTransform.WIPED;
        }
        if (mac == null) {
            return 0;
        }
        System.arraycopy(data, icvAt, received, 0, received.length);
        byte[] expected = compute(data, start, end, icvAt, sequence);
        boolean matches = PacketMac.matches(received, received.length, expected, 0);
        return matches ? 0 : EspTransform.AUTH_FAILED;
    }

    /** Every later call answers {@link EspTransform#WIPED}. */
    @Override
    public void wipe() {
        if (mac != null) {
            mac.destroy();
            mac = null;
        }
        wiped = true;
    }

    private byte[] compute(byte[] data, int start, int end, int icvAt, long sequence) {
        Arrays.fill(data, icvAt, icvAt + received.length, (byte) 0);
        if (tailBytes > 0) {
            EspTransform.INT.set(data, end, (int) (sequence >>> 32));
        }
        try {
            return mac.compute(data, start, end - start + tailBytes);
        } catch (RuntimeException | Error fault) {
            // It may hold half a packet: the next one makes another.
            PacketMac broken = mac;
            mac = null;
            broken.destroy();
            throw fault;
        }
    }

    private boolean ready() {
        if (mac == null && received.length > 0 && !wiped) {
            try {
                mac = auth.mac();
            } catch (KeyMaterial.WipedException e) {
                wiped = true;
            }
        }
        return !wiped;
    }
}
