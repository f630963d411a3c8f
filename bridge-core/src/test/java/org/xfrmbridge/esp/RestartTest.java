package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** A MAC that fails in the middle of a packet keeps a part of it: the next packet gets another MAC. */
class RestartTest {
    private static final int PAYLOAD_BYTES = 100;
    private static final int ICV_BYTES = 12;
    private static final byte[] KEY = new byte[20];

    private int calls;

    /** HMAC-SHA1 that takes in the first half of each second packet, and fails. */
    private final class FaultyMac implements PacketMac {
        private final Mac mac;

        FaultyMac() {
            try {
                mac = Mac.getInstance("HmacSHA1");
                mac.init(new SecretKeySpec(KEY, "HmacSHA1"));
            } catch (GeneralSecurityException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public byte[] compute(byte[] data, int offset, int length) {
            if (calls++ % 2 == 1) {
                mac.update(data, offset, length / 2);
                throw new StackOverflowError("a fault");
            }
            mac.update(data, offset, length);
            return mac.doFinal();
        }

        @Override
        public void destroy() {}
    }

    private final KeyedAlgorithm faultyMac = EspSuites.keyed(
            AlgorithmTable.find(AlgorithmKind.AUTH, "sha1").map(sha1 -> withEngine(sha1, key -> new FaultyMac())), KEY);

    private final KeyedAlgorithm soundMac = EspSuites.keyed(AlgorithmTable.find(AlgorithmKind.AUTH, "sha1"), KEY);

    private static AlgorithmEntry withEngine(AlgorithmEntry like, AlgorithmEngine.Mac engine) {
        return new AlgorithmEntry(like.kind(), like.name(), null, like.keys(), like.lengths(), like.iv(), null, engine);
    }

    private static EspTransform esp(KeyedAlgorithm mac) {
        AlgorithmEntry none =
                AlgorithmTable.find(AlgorithmKind.CIPHER, "cipher_null").orElseThrow();
        return EspSuite.encryptThenMac(new KeyedAlgorithm(none, KeyMaterial.NONE), mac, ICV_BYTES * Byte.SIZE)
                .transform(7, SequenceWidth.SHORT);
    }

    @Test
    void shouldSealAndOpenTheNextPacketAfterAFault() {
        EspTransform faulty = esp(faultyMac);
        EspTransform sound = esp(soundMac);
        for (long number : List.of(1L, 3L, 5L)) {
            byte[] packet = new byte[200];
            int bytes = sound.seal(packet, 0, PAYLOAD_BYTES, 4, number);
            assertArrayEquals(Arrays.copyOf(packet, bytes), seal(faulty, number));
            assertThrows(StackOverflowError.class, () -> seal(faulty, number + 1));
            assertEquals(PAYLOAD_BYTES, faulty.open(packet.clone(), 0, bytes, number));
            assertThrows(StackOverflowError.class, () -> faulty.open(packet.clone(), 0, bytes, number));
        }
    }

    private static byte[] seal(EspTransform esp, long number) {
        byte[] data = new byte[200];
        int bytes = esp.seal(data, 0, PAYLOAD_BYTES, 4, number);
        return Arrays.copyOf(data, bytes);
    }

    @Test
    void shouldSignTheNextPacketAfterAFaultInAh() {
        AhTransform faulty = new AhTransform(faultyMac, ICV_BYTES, SequenceWidth.SHORT);
        AhTransform sound = new AhTransform(soundMac, ICV_BYTES, SequenceWidth.SHORT);
        for (int number = 0; number < 3; number++) {
            byte[] expected = new byte[100];
            byte[] signed = new byte[100];
            sound.sign(expected, 0, 100, 32, number);
            faulty.sign(signed, 0, 100, 32, number);
            assertArrayEquals(expected, signed);
            assertThrows(StackOverflowError.class, () -> faulty.verify(signed, 0, 100, 32, 0));
        }
    }
}
