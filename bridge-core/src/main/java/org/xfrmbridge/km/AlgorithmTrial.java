package org.xfrmbridge.km;

import java.util.HashSet;
import java.util.Set;
import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.AhTransform;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Protects a packet of nobody's once with each algorithm that a State is installed with, so that no packet of a State's
 * waits until the JDK has found a provider, read classes and drawn its first random number. With keys of zeros.
 */
final class AlgorithmTrial implements ChangeListener {
    private static final int PACKET_AT = 64;
    private static final int PACKET_BYTES = 64;
    private static final int BUFFER_BYTES = 512;

    /** An AEAD of one name may have another engine for another ICV. */
    private static final int USUAL_ICV_BITS = 128;

    /** By the names that the table of algorithms has. */
    private final Set<String> tried = new HashSet<>();

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        StateSpec spec = state.spec();
        if (change != Change.DELETE
                && (isUntried(spec.aead())
                        || isUntried(spec.cipher())
                        || isUntried(spec.auth())
                        || isUntried(spec.compression()))) {
            try {
                tryOut(spec);
            } catch (RuntimeException e) {
                // The State is there, and its first packet meets the same: there it is counted.
            }
        }
    }

    private boolean isUntried(Algorithm algorithm) {
        return algorithm != null && !tried.contains(name(algorithm));
    }

    private static String name(Algorithm algorithm) {
        return algorithm.icvBits() < USUAL_ICV_BITS && algorithm.icvBits() > 0
                ? algorithm.name() + algorithm.icvBits()
                : algorithm.name();
    }

    /** Whether what was sealed could be opened. */
    boolean tryOut(StateSpec spec) {
        StateSpec own = spec.toBuilder()
                .aead(withoutKey(spec.aead()))
                .cipher(withoutKey(spec.cipher()))
                .auth(withoutKey(spec.auth()))
                .build();
        note(spec.compression());
        SequenceWidth width = spec.isEsn() ? SequenceWidth.EXTENDED : SequenceWidth.SHORT;
        Suite suite = StateConstruction.suite(own);
        // The client waits: a switch over types would make a class for itself.
        if (suite instanceof EspSuite esp) {
            return tryOut(esp, spec.id().spi(), width);
        }
        if (suite instanceof AhSuite ah) {
            return tryOut(ah, width);
        }
        return !(suite instanceof Suite.Deflate) || tryOutDeflate();
    }

    private Algorithm withoutKey(Algorithm algorithm) {
        if (algorithm == null) {
            return null;
        }
        note(algorithm);
        byte[] zeros = new byte[(algorithm.keyBits() + Byte.SIZE - 1) / Byte.SIZE];
        return new Algorithm(algorithm.name(), algorithm.keyBits(), algorithm.icvBits(), zeros);
    }

    private void note(Algorithm algorithm) {
        if (algorithm != null) {
            tried.add(name(algorithm));
        }
    }

    private static boolean tryOut(EspSuite suite, int spi, SequenceWidth width) {
        byte[] data = new byte[BUFFER_BYTES];
        EspTransform sender = suite.transform(spi, width);
        EspTransform receiver = suite.transform(spi, width);
        int bytes = sender.seal(data, PACKET_AT, PACKET_BYTES, 0, 1);
        int opened = receiver.open(data, PACKET_AT, bytes, 1);
        sender.wipe();
        receiver.wipe();
        return opened == PACKET_BYTES;
    }

    private static boolean tryOut(AhSuite suite, SequenceWidth width) {
        byte[] data = new byte[BUFFER_BYTES];
        int end = PACKET_BYTES + suite.fullIcvBytes();
        AhTransform transform = suite.transform(width);
        transform.sign(data, 0, end, PACKET_BYTES, 1);
        int verified = transform.verify(data, 0, end, PACKET_BYTES, 1);
        transform.wipe();
        return verified == 0;
    }

    private static boolean tryOutDeflate() {
        byte[] data = new byte[BUFFER_BYTES];
        try (DeflateCodec codec = new DeflateCodec()) {
            int bytes = codec.compress(data, 0, data.length, data.length);
            return codec.decompress(codec.result().clone(), 0, bytes) == data.length;
        }
    }
}
