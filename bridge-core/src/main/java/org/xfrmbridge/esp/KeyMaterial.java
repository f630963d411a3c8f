package org.xfrmbridge.esp;

import java.lang.invoke.VarHandle;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * The key of one algorithm of one SA, salt included. Any thread may read, compare and wipe it; a reader that meets a
 * wipe gets an exception, never a key that is half zeros. Not shown by {@link #toString}.
 */
public final class KeyMaterial {
    public static final KeyMaterial NONE = new KeyMaterial(new byte[0]);

    /** A key was asked for that {@link #wipe} has cleared: its SA is going away. */
    public static final class WipedException extends IllegalStateException {
        private static final long serialVersionUID = 1;
    }

    private volatile byte[] bytes;
    private final int length;

    private KeyMaterial(byte[] bytes) {
        this.bytes = bytes;
        this.length = bytes.length;
    }

    /** @param key copied: the caller may wipe its own */
    public static KeyMaterial copyOf(byte[] key) {
        return key.length == 0 ? NONE : new KeyMaterial(key.clone());
    }

    /** @param key taken over, not copied */
    public static KeyMaterial of(byte[] key) {
        return key.length == 0 ? NONE : new KeyMaterial(key);
    }

    /**
     * The key itself, not a copy, for the thread that wipes: it must neither keep nor change it. As many zeros once
     * wiped.
     */
    public byte[] bytesOrZeros() {
        byte[] key = bytes;
        return key == null ? new byte[length] : key;
    }

    public int lengthBytes() {
        return length;
    }

    /**
     * A copy that the caller must wipe.
     *
     * @throws WipedException when wiped
     */
    public byte[] copy() {
        return copy(0, length);
    }

    byte[] copy(int from, int to) {
        byte[] source = bytes;
        byte[] copy = source == null ? new byte[0] : Arrays.copyOfRange(source, from, to);
        VarHandle.loadLoadFence();
        if (bytes == null) {
            Arrays.fill(copy, (byte) 0);
            throw new WipedException();
        }
        return copy;
    }

    /** Overwrites the key with zeros, once; later readers get an exception. */
    public void wipe() {
        byte[] old = bytes;
        if (old == null || length == 0) {
            return;
        }
        bytes = null;
        VarHandle.fullFence();
        Arrays.fill(old, (byte) 0);
    }

    /** In constant time for keys of equal length. */
    @Override
    public boolean equals(Object other) {
        if (!(other instanceof KeyMaterial that)) {
            return false;
        }
        byte[] mine = bytes;
        byte[] theirs = that.bytes;
        return this == that || (mine != null && theirs != null && MessageDigest.isEqual(mine, theirs));
    }

    @Override
    public int hashCode() {
        return length;
    }

    @Override
    public String toString() {
        return "KeyMaterial[" + length * 8 + " bits]";
    }
}
