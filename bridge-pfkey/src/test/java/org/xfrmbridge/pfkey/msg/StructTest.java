package org.xfrmbridge.pfkey.msg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbProp.SadbComb;
import org.xfrmbridge.pfkey.msg.SadbProp.Times;
import org.xfrmbridge.pfkey.msg.SadbSupported.SadbAlg;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbStruct;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.xfrm.Address;

/**
 * Every extension against the bytes that the C structures of linux/pfkeyv2.h have on a little-endian machine, and back.
 */
class StructTest {
    private interface Reader {
        SadbStruct read(ByteBuffer in) throws XfrmException;
    }

    private static final SadbMsg HEADER = new SadbMsg(SadbType.ADD, 3, 1, 2);
    private static final Sockaddr V4 = new Sockaddr(2, 500, Address.parse("192.0.2.1"));
    private static final Sockaddr V6 = new Sockaddr(10, 0, Address.parse("2001:db8::1"));

    static Stream<Arguments> extensions() {
        SadbLifetime lifetime = new SadbLifetime(1, 2, 3, 4);
        SadbComb comb = new SadbComb(3, 12, 160, 160, 128, 256, new Times(72_000, 86_400, 25_200, 28_800));
        SadbKey key = new SadbKey(20, new byte[] {1, 2, 3});
        SadbIdent ident = new SadbIdent(2, 7, "a.test\0\0".getBytes());
        return Stream.of(
                of(
                        SadbExt.SA,
                        new SadbSa(0x1000, 32, 1, 3, 12, 0x8000_0000),
                        SadbSa::read,
                        "02000100 00001000 2001030c 00000080"),
                of(
                        SadbExt.LIFETIME_CURRENT,
                        lifetime,
                        SadbLifetime::read,
                        "04000200 01000000 0200000000000000 0300000000000000 0400000000000000"),
                of(
                        SadbExt.LIFETIME_HARD,
                        lifetime,
                        SadbLifetime::read,
                        "04000300 01000000 0200000000000000 0300000000000000 0400000000000000"),
                of(
                        SadbExt.LIFETIME_SOFT,
                        lifetime,
                        SadbLifetime::read,
                        "04000400 01000000 0200000000000000 0300000000000000 0400000000000000"),
                of(
                        SadbExt.ADDRESS_SRC,
                        new SadbAddress(17, 32, V4),
                        SadbAddress::read,
                        "03000500 11200000 020001f4 c0000201 0000000000000000"),
                of(
                        SadbExt.ADDRESS_DST,
                        new SadbAddress(255, 48, V6),
                        SadbAddress::read,
                        "05000600 ff300000 0a000000 00000000 20010db8000000000000000000000001 00000000 00000000"),
                of(
                        SadbExt.ADDRESS_PROXY,
                        new SadbAddress(0, 0, V4),
                        SadbAddress::read,
                        "03000700 00000000 020001f4 c0000201 0000000000000000"),
                of(SadbExt.KEY_AUTH, key, SadbKey::read, "02000800 14000000 010203 0000000000"),
                of(SadbExt.KEY_ENCRYPT, key, SadbKey::read, "02000900 14000000 010203 0000000000"),
                of(SadbExt.IDENTITY_SRC, ident, SadbIdent::read, "03000a00 02000000 0700000000000000 612e746573740000"),
                of(SadbExt.IDENTITY_DST, ident, SadbIdent::read, "03000b00 02000000 0700000000000000 612e746573740000"),
                of(
                        SadbExt.SENSITIVITY,
                        new SadbSens(1, 2, 1, 3, 0, new byte[8]),
                        SadbSens::read,
                        "03000c00 01000000 02010300 00000000 0000000000000000"),
                of(
                        SadbExt.PROPOSAL,
                        new SadbProp(32, List.of(comb)),
                        SadbProp::read,
                        "0a000d00 20000000 030c0000 a000a000 80000001 00000000 00000000 00000000"
                                + " 0000000000000000 0000000000000000 4019010000000000"
                                + " 8051010000000000 7062000000000000 8070000000000000"),
                of(
                        SadbExt.SUPPORTED_AUTH,
                        new SadbSupported(List.of(new SadbAlg(3, 0, 160, 160))),
                        SadbSupported::read,
                        "02000e00 00000000 0300a000 a0000000"),
                of(
                        SadbExt.SUPPORTED_ENCRYPT,
                        new SadbSupported(List.of(new SadbAlg(12, 8, 128, 256))),
                        SadbSupported::read,
                        "02000f00 00000000 0c088000 00010000"),
                of(
                        SadbExt.SPIRANGE,
                        new SadbSpirange(0x100, 0x0fff_ffff),
                        SadbSpirange::read,
                        "02001000 00010000 ffffff0f 00000000"),
                of(
                        SadbExt.X_KMPRIVATE,
                        new SadbXKmprivate(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}),
                        SadbXKmprivate::read,
                        "02001100 00000000 0102030405060708"),
                of(
                        SadbExt.X_POLICY,
                        new SadbXPolicy(2, 2, 9, 5, List.of()),
                        SadbXPolicy::read,
                        "02001200 02000200 09000000 05000000"),
                of(SadbExt.X_SA2, new SadbXSa2(2, 0, 77), SadbXSa2::read, "02001300 02000000 00000000 4d000000"),
                of(SadbExt.X_NAT_T_TYPE, new SadbXNatTType(2), SadbXNatTType::read, "01001400 02000000"),
                of(SadbExt.X_NAT_T_SPORT, new SadbXNatTPort(4500), SadbXNatTPort::read, "01001500 11940000"),
                of(SadbExt.X_NAT_T_DPORT, new SadbXNatTPort(4500), SadbXNatTPort::read, "01001600 11940000"),
                of(
                        SadbExt.X_NAT_T_OA,
                        new SadbAddress(0, 32, V4),
                        SadbAddress::read,
                        "03001700 00200000 020001f4 c0000201 0000000000000000"),
                of(
                        SadbExt.X_SEC_CTX,
                        new SadbXSecCtx(1, 1, "label\0".getBytes()),
                        SadbXSecCtx::read,
                        "02001800 01010600 6c6162656c00 0000"),
                of(
                        SadbExt.X_KMADDRESS,
                        new SadbXKmaddress(0, new SockaddrPair(V4, V4)),
                        SadbXKmaddress::read,
                        "05001900 00000000 020001f4c00002010000000000000000 020001f4c00002010000000000000000"),
                of(
                        SadbExt.X_FILTER,
                        new SadbXFilter(Address.parse("192.0.2.0"), Address.ANY, 2, 24, 0),
                        SadbXFilter::read,
                        "05001a00 c0000200000000000000000000000000 00000000000000000000000000000000 02001800"));
    }

    private static Arguments of(SadbExt extension, SadbStruct struct, Reader reader, String hex) {
        return arguments(extension, struct, reader, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("extensions")
    void shouldStandAsInTheHeaderFile(SadbExt extension, SadbStruct struct, Reader reader, byte[] expected)
            throws XfrmException {
        byte[] message = new SadbWriter(HEADER).put(extension, struct).toBytes();

        byte[] written = new byte[message.length - SadbMsg.BYTES];
        System.arraycopy(message, SadbMsg.BYTES, written, 0, written.length);
        assertArrayEquals(expected, written);
        Extensions read = Extensions.parse(ByteBuffer.wrap(message));
        SadbStruct again = reader.read(read.get(extension));
        assertArrayEquals(message, new SadbWriter(HEADER).put(extension, again).toBytes());
    }

    @Test
    void shouldHaveATestForEveryExtension() {
        assertEquals(SadbExt.values().length, extensions().count());
    }

    @Test
    void shouldHoldLongMessages() throws XfrmException {
        byte[] label = new byte[4000];
        byte[] message = new SadbWriter(HEADER)
                .put(SadbExt.X_SEC_CTX, new SadbXSecCtx(1, 1, label))
                .put(SadbExt.X_SA2, new SadbXSa2(2, 0, 77))
                .toBytes();

        assertEquals(
                message.length / SadbMsg.WORD_BYTES,
                SadbMsg.read(ByteBuffer.wrap(message)).lengthWords());
        assertEquals(
                new SadbXSa2(2, 0, 77),
                SadbXSa2.read(Extensions.parse(ByteBuffer.wrap(message)).get(SadbExt.X_SA2)));
    }

    @Test
    void shouldNotShowKeysInText() {
        assertFalse(new SadbKey(24, new byte[] {0x55, 0x55, 0x55}).toString().contains("85"));
    }

    @Test
    void shouldRefuseKmaddressOfTwoFamilies() {
        byte[] message = new SadbWriter(HEADER)
                .put(SadbExt.X_KMADDRESS, new SadbXKmaddress(0, new SockaddrPair(V4, V6)))
                .toBytes();

        assertThrows(
                XfrmException.class,
                () -> SadbXKmaddress.read(
                        Extensions.parse(ByteBuffer.wrap(message)).get(SadbExt.X_KMADDRESS)));
    }
}
