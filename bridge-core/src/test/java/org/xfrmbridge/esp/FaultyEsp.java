package org.xfrmbridge.esp;

/** ESP that fails, for tests of those who call it. */
public final class FaultyEsp {
    private FaultyEsp() {}

    /** A transform of the same sizes as this suite's that throws with every packet. */
    public static EspTransform whoseCipherThrows(EspSuite like, Error fault) {
        AlgorithmEntry aead = like.cipher.algorithm();
        AlgorithmEngine.Aead engine = (key, icvBytes, nonce, aad) -> {
            throw fault;
        };
        AlgorithmEntry faulty = new AlgorithmEntry(
                aead.kind(), aead.name(), null, aead.keys(), aead.lengths(), aead.iv(), null, engine);
        return EspSuite.aead(new KeyedAlgorithm(faulty, like.cipher.key())).transform(1, SequenceWidth.SHORT);
    }
}
