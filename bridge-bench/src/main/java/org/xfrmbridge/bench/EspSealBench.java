package org.xfrmbridge.bench;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.KeyMaterial;
import org.xfrmbridge.esp.KeyedAlgorithm;
import org.xfrmbridge.esp.SequenceWidth;

/**
 * Time to seal or open one ESP packet on one core. Opening includes a copy of the packet, since it is decrypted in
 * place.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class EspSealBench {
    private static final int OFFSET = 64;

    @Param({"aes128gcm16", "chacha20poly1305", "aes128-sha256"})
    public String proposal;

    @Param("1420")
    public int payloadBytes;

    private final byte[] packet = new byte[4096];
    private final byte[] sealed = new byte[4096];
    private int sealedBytes;
    private long sequence;
    private EspTransform sealer;
    private EspTransform opener;

    @Setup
    public void setUp() {
        EspSuite suite = suite(proposal);
        sealer = suite.transform(1, SequenceWidth.SHORT);
        opener = suite.transform(1, SequenceWidth.SHORT);
        sealedBytes = sealer.seal(sealed, OFFSET, payloadBytes, 4, 1);
    }

    @Benchmark
    public int seal() {
        return sealer.seal(packet, OFFSET, payloadBytes, 4, ++sequence);
    }

    @Benchmark
    public int open() {
        System.arraycopy(sealed, OFFSET, packet, OFFSET, sealedBytes);
        return opener.open(packet, OFFSET, sealedBytes, 1);
    }

    private static EspSuite suite(String proposal) {
        return switch (proposal) {
            case "aes128gcm16" -> EspSuite.aead(keyed(AlgorithmTable.aead("rfc4106(gcm(aes))", 128), 20));
            case "chacha20poly1305" ->
                EspSuite.aead(keyed(AlgorithmTable.aead("rfc7539esp(chacha20,poly1305)", 128), 36));
            case "aes128-sha256" ->
                EspSuite.encryptThenMac(
                        keyed(AlgorithmTable.find(AlgorithmKind.CIPHER, "aes"), 16),
                        keyed(AlgorithmTable.find(AlgorithmKind.AUTH, "sha256"), 32),
                        128);
            default -> throw new IllegalArgumentException(proposal);
        };
    }

    private static KeyedAlgorithm keyed(Optional<AlgorithmEntry> algorithm, int keyBytes) {
        return new KeyedAlgorithm(algorithm.orElseThrow(), KeyMaterial.of(new byte[keyBytes]));
    }
}
