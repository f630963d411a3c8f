package org.xfrmbridge.esp;

/**
 * The code behind an algorithm, a column of {@link AlgorithmTable}. A datapath thread calls it with the first packet of
 * an SA. Keys, salts and nonces are handed over: who gets one wipes it when it is destroyed.
 */
sealed interface AlgorithmEngine
        permits AlgorithmEngine.Aead, AlgorithmEngine.Cipher, AlgorithmEngine.Mac, Suite.Deflate {

    /** Of {@link AlgorithmKind#AEAD}. */
    @FunctionalInterface
    non-sealed interface Aead extends AlgorithmEngine {
        /** Nonce and associated data of a packet are in these arrays when the packet is. */
        PacketAead create(byte[] key, int icvBytes, byte[] nonce, byte[] aad);
    }

    /** Of {@link AlgorithmKind#CIPHER}. */
    @FunctionalInterface
    non-sealed interface Cipher extends AlgorithmEngine {
        PacketCipher create(byte[] key, byte[] salt);
    }

    /** Of {@link AlgorithmKind#AUTH}. */
    @FunctionalInterface
    non-sealed interface Mac extends AlgorithmEngine {
        PacketMac create(byte[] key);
    }
}
