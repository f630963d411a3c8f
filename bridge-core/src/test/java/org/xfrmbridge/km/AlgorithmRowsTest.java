package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** Every row of the table of algorithms: a State of an available one carries packets, of another one is refused. */
class AlgorithmRowsTest extends EngineFixture {
    private static final byte[] PAYLOAD = "a payload, a payload, and the same payload".getBytes();
    private static final int ROOM_BYTES = 200;

    static List<AlgorithmEntry> rows() {
        return AlgorithmTable.entries();
    }

    @ParameterizedTest
    @MethodSource("rows")
    void shouldCarryPacketsOrBeRefused(AlgorithmEntry row) throws XfrmException {
        for (int protocol : protocols(row)) {
            StateSpec spec = esp(1, request -> ask(request, row, protocol));
            if (row.available()) {
                carry(engine.addState(spec, ASKER).suite());
                engine.deleteState(new StateKey(spec.id(), spec.family(), spec.mark(), null), ASKER);
            } else {
                refused(Errno.ENOSYS, () -> engine.addState(spec, ASKER));
            }
        }
    }

    @Test
    void shouldHaveCodeForAllThatAKernelHasCodeFor() {
        Stream<AlgorithmEntry> refused = rows().stream().filter(row -> !row.available());
        assertEquals(List.of("lzs", "lzjh"), refused.map(AlgorithmEntry::name).toList());
    }

    private static int[] protocols(AlgorithmEntry row) {
        return switch (row.kind()) {
            case AEAD, CIPHER -> new int[] {IpProtocol.ESP};
            case AUTH -> new int[] {IpProtocol.ESP, IpProtocol.AH};
            case COMPRESSION -> new int[] {IpProtocol.COMP};
        };
    }

    private static void ask(StateSpecBuilder request, AlgorithmEntry row, int protocol) {
        byte[] key = new byte[row.keys().minBytes()];
        Algorithm algorithm =
                new Algorithm(row.name(), key.length * Byte.SIZE, row.lengths().icvBits(), key);
        request.id(new StateId(RIGHT, 1, protocol)).aead(null);
        switch (row.kind()) {
            case AEAD -> request.aead(algorithm);
            case CIPHER -> request.cipher(algorithm);
            case COMPRESSION -> request.compression(algorithm);
            case AUTH -> {
                request.auth(algorithm).cipher(protocol == IpProtocol.ESP ? algorithm("cipher_null", "", 0) : null);
            }
        }
    }

    private static void carry(Suite suite) {
        switch (suite) {
            case EspSuite esp -> carry(esp.transform(1, SequenceWidth.SHORT), esp.transform(1, SequenceWidth.SHORT));
            case AhSuite ah -> sign(ah);
            default -> compress(assertInstanceOf(Suite.Deflate.class, suite));
        }
    }

    private static void carry(EspTransform sealer, EspTransform opener) {
        int payloadAt = sealer.sizes().payloadOffset();
        byte[] packet = new byte[ROOM_BYTES];
        System.arraycopy(PAYLOAD, 0, packet, payloadAt, PAYLOAD.length);
        int bytes = sealer.seal(packet, 0, PAYLOAD.length, IpProtocol.IPIP, 1);
        assertEquals(PAYLOAD.length, opener.open(packet, 0, bytes, 1));
        assertArrayEquals(PAYLOAD, Arrays.copyOfRange(packet, payloadAt, payloadAt + PAYLOAD.length));
    }

    private static void sign(AhSuite suite) {
        byte[] packet = new byte[ROOM_BYTES];
        int end = ROOM_BYTES / 2;
        assertEquals(0, suite.transform(SequenceWidth.SHORT).sign(packet, 0, end, 0, 1));
        if (suite.icvBytes() > 0) {
            assertNotEquals(0, Arrays.compare(new byte[suite.icvBytes()], Arrays.copyOf(packet, suite.icvBytes())));
        }
        assertEquals(0, suite.transform(SequenceWidth.SHORT).verify(packet, 0, end, 0, 1));
    }

    private static void compress(Suite.Deflate suite) {
        assertTrue(suite.thresholdBytes() > 0);
        try (DeflateCodec out = new DeflateCodec();
                DeflateCodec in = new DeflateCodec()) {
            int bytes = out.compress(PAYLOAD, 0, PAYLOAD.length, PAYLOAD.length);
            assertEquals(PAYLOAD.length, in.decompress(out.result(), 0, bytes));
            assertArrayEquals(PAYLOAD, Arrays.copyOf(in.result(), PAYLOAD.length));
        }
    }
}
