package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

class AlgorithmTrialTest {
    static Stream<AlgorithmEntry> algorithms() {
        return AlgorithmTable.entries().stream().filter(AlgorithmEntry::available);
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void shouldOpenWhatItHasSealed(AlgorithmEntry entry) {
        assertTrue(new AlgorithmTrial().tryOut(spec(entry).build()));
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void shouldDoSoWithExtendedNumbers(AlgorithmEntry entry) {
        assertTrue(new AlgorithmTrial().tryOut(spec(entry).flags(StateFlags.ESN).build()));
    }

    @Test
    void shouldLeaveTheKeyOfTheStateAsItIs() {
        AlgorithmEntry gcm = AlgorithmTable.aead("rfc4106(gcm(aes))", 128).orElseThrow();
        StateSpec spec = spec(gcm).build();
        new AlgorithmTrial().tryOut(spec);
        assertEquals(7, spec.aead().key()[0]);
    }

    private static StateSpecBuilder spec(AlgorithmEntry entry) {
        int bits = bits(entry);
        byte[] key = new byte[bits / Byte.SIZE];
        if (bits > 0) {
            key[0] = 7;
        }
        Algorithm algorithm = new Algorithm(entry.name(), bits, entry.lengths().icvBits(), key);
        StateSpecBuilder spec = StateSpec.builder();
        int protocol = switch (entry.kind()) {
            case AEAD -> {
                spec.aead(algorithm);
                yield IpProtocol.ESP;
            }
            case CIPHER -> {
                spec.cipher(algorithm);
                yield IpProtocol.ESP;
            }
            case AUTH -> {
                spec.auth(algorithm);
                yield IpProtocol.AH;
            }
            case COMPRESSION -> {
                spec.compression(algorithm);
                yield IpProtocol.COMP;
            }
        };
        return spec.id(new StateId(Address.ANY, 0x1000, protocol));
    }

    /** The least that it takes; a MAC takes any. */
    private static int bits(AlgorithmEntry entry) {
        if (entry.kind() == AlgorithmKind.AUTH) {
            return 128;
        }
        int bits = 0;
        while (!entry.keys().accepts(bits)) {
            bits += Byte.SIZE;
        }
        return bits;
    }
}
