package org.xfrmbridge.esp;

/**
 * An algorithm with the key of one SA.
 *
 * @param key salt included; stays the caller's, who wipes it when the SA dies
 */
public record KeyedAlgorithm(AlgorithmEntry algorithm, KeyMaterial key) {

    /** @throws IllegalArgumentException for one of another kind, or without code, or where the kernel answers EINVAL */
    void require(AlgorithmKind kind, int icvBits) {
        if (algorithm.kind() != kind || !algorithm.available()) {
            throw new IllegalArgumentException("no code for " + kind + " " + algorithm.name());
        }
        algorithm.refusal(key.lengthBytes() * Byte.SIZE, icvBits).ifPresent(reason -> {
            throw new IllegalArgumentException(reason);
        });
    }

    /** Bytes of the ICV on the wire, rounded down as the kernel does; 0 bits stand for the algorithm's default. */
    int icvBytes(int icvBits) {
        return (icvBits == 0 ? algorithm.lengths().icvBits() : icvBits) / Byte.SIZE;
    }

    /** Throws {@link KeyMaterial.WipedException} when the key is gone, as the others do. */
    PacketAead aead(byte[] nonce, byte[] aad) {
        AlgorithmEngine.Aead engine = (AlgorithmEngine.Aead) algorithm.engine();
        return engine.create(withoutSalt(), icvBytes(0), nonce, aad);
    }

    PacketCipher cipher() {
        byte[] salt = salt();
        return ((AlgorithmEngine.Cipher) algorithm.engine()).create(withoutSalt(), salt);
    }

    PacketMac mac() {
        return ((AlgorithmEngine.Mac) algorithm.engine()).create(key.copy());
    }

    private byte[] withoutSalt() {
        return key.copy(0, key.lengthBytes() - algorithm.lengths().saltBytes());
    }

    /** A copy that the caller must wipe. */
    byte[] salt() {
        return key.copy(key.lengthBytes() - algorithm.lengths().saltBytes(), key.lengthBytes());
    }
}
