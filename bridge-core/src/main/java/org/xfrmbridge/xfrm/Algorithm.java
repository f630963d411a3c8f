package org.xfrmbridge.xfrm;

import org.xfrmbridge.esp.KeyMaterial;

/**
 * An algorithm of a State as a client named it, {@code struct xfrm_algo}, {@code xfrm_algo_auth} or
 * {@code xfrm_algo_aead}. Owns its key: {@link #wipe} clears it, {@link #toString} never shows it, equality takes
 * constant time.
 */
public final class Algorithm {
    private final String name;
    private final int keyBits;
    private final int icvBits;
    private final KeyMaterial key;

    /**
     * @param name the kernel's name or alias, for example {@code rfc4106(gcm(aes))} or {@code sha256}
     * @param keyBits key length in bits, a salt included
     * @param icvBits length of the integrity check value in bits, 0 where there is none
     * @param key taken over, not copied: {@code ceil(keyBits / 8)} bytes
     */
    public Algorithm(String name, int keyBits, int icvBits, byte[] key) {
        this(name, keyBits, icvBits, KeyMaterial.of(key));
    }

    private Algorithm(String name, int keyBits, int icvBits, KeyMaterial key) {
        this.name = name;
        this.keyBits = keyBits;
        this.icvBits = icvBits;
        this.key = key;
    }

    /** The same under another name and with another ICV; both share the key. */
    public Algorithm as(String otherName, int otherIcvBits) {
        return new Algorithm(otherName, keyBits, otherIcvBits, key);
    }

    public String name() {
        return name;
    }

    public int keyBits() {
        return keyBits;
    }

    public int icvBits() {
        return icvBits;
    }

    /** The key itself, not a copy: the caller must neither keep nor change it. Zeros once wiped. */
    public byte[] key() {
        return key.bytesOrZeros();
    }

    /** The key as transforms use it. Any thread. */
    public KeyMaterial material() {
        return key;
    }

    public void wipe() {
        key.wipe();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Algorithm that
                && name.equals(that.name)
                && keyBits == that.keyBits
                && icvBits == that.icvBits
                && key.equals(that.key);
    }

    @Override
    public int hashCode() {
        return name.hashCode() * 31 + keyBits;
    }

    @Override
    public String toString() {
        return name + " (" + keyBits + " key bits, " + icvBits + " ICV bits)";
    }
}
