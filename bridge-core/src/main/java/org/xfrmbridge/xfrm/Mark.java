package org.xfrmbridge.xfrm;

/** A mark to look up by, {@code struct xfrm_mark}: a packet's mark m fits when {@code (m & mask) == value}. */
public record Mark(int value, int mask) {
    public static final Mark NONE = new Mark(0, 0);

    public boolean fits(int packetMark) {
        return fits(packetMark, value, mask);
    }

    /** The same for a mark whose two numbers are kept apart. */
    public static boolean fits(int packetMark, int value, int mask) {
        return (packetMark & mask) == value;
    }

    /** Of the value only what the mask lets through: the mark of a packet that fits, once this is as it is kept. */
    public int maskedValue() {
        return value & mask;
    }

    /** Whether both are kept as the same mark. */
    public boolean isAlike(Mark other) {
        return mask == other.mask && maskedValue() == other.maskedValue();
    }

    /** What XFRMA_SET_MARK makes of a packet's mark; {@code xfrm_smark_get}. */
    public int applyTo(int packetMark) {
        return packetMark & ~mask | maskedValue();
    }

    /** The mark as it is kept: of the value only what the mask lets through. */
    public Mark sanitized() {
        return new Mark(maskedValue(), mask);
    }

    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof Mark other && value == other.value && mask == other.mask;
    }

    @Override
    public int hashCode() {
        return 31 * value + mask;
    }

    /** Whether it is as it is kept. */
    public boolean isSanitized() {
        return (value & ~mask) == 0;
    }

    public boolean isNone() {
        return (value | mask) == 0;
    }
}
