package org.xfrmbridge.netlink.nl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.km.Errno;

class NetlinkFramingTest {
    private static ByteBuffer wrap(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    @Test
    void shouldReadBackSeveralMessagesWhenTheyShareADatagram() {
        byte[] datagram = new NetlinkWriter(16)
                .begin(0x20, NetlinkHeader.REQUEST, 7, 99)
                .putZeros(5)
                .end()
                .begin(0x21, NetlinkHeader.ACK, 8, 99)
                .putInt(3, 0xdeadbeef)
                .end()
                .toBytes();

        NetlinkReader reader = new NetlinkReader(wrap(datagram));

        assertTrue(reader.next());
        assertEquals(new NetlinkHeader(24, 0x20, NetlinkHeader.REQUEST, 7, 99), reader.header());
        assertTrue(reader.next());
        assertEquals(0x21, reader.header().type());
        assertEquals(0xdeadbeef, Attributes.parse(reader.payload(), 0, 4).getInt(3, 0));
        assertFalse(reader.next());
    }

    @Test
    void shouldForgetTheMessageBeforeWhenSteppingOn() throws NetlinkException {
        AttributePolicy policy =
                AttributePolicy.builder(3).number(3, 4).strictFrom(3).build();
        byte[] datagram = new NetlinkWriter()
                .begin(0x20, NetlinkHeader.REQUEST, 7, 99)
                .putZeros(5)
                .putInt(1, 11)
                .putInt(3, 33)
                .end()
                .begin(0x21, NetlinkHeader.ACK, 8, 100)
                .putInt(2, 22)
                .putShort(3, 3)
                .end()
                .toBytes();
        NetlinkReader reader = new NetlinkReader(wrap(datagram));

        assertTrue(reader.next());
        reader.parseAttributes(5, policy);
        assertEquals(24, reader.body().remaining());
        assertEquals(11, reader.attributes().look(1).getInt());
        assertEquals(33, reader.attributes().look(3).getInt());
        assertTrue(reader.next());
        NetlinkException refused = assertThrows(NetlinkException.class, () -> reader.parseAttributes(0, policy));

        assertEquals(16 + 8, refused.offsetBytes());
        assertEquals(22, reader.attributes().getInt(2, 0));
        assertFalse(reader.attributes().has(1));
        assertNull(reader.attributes().look(1));
        assertTrue(reader.has(NetlinkHeader.ACK));
        assertEquals(new NetlinkHeader(32, 0x21, NetlinkHeader.ACK, 8, 100), reader.header());
        assertFalse(reader.next());
    }

    @Test
    void shouldStopWhenALengthCannotBeBelieved() {
        for (int length : new int[] {0, 15, 25, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
            ByteBuffer datagram = wrap(new byte[24]).putInt(0, length);
            assertFalse(new NetlinkReader(datagram).next(), () -> "length " + length);
        }
        assertFalse(new NetlinkReader(wrap(new byte[15])).next());
    }

    @Test
    void shouldTakeTheLastAttributeWhenItsPaddingIsMissing() {
        ByteBuffer payload = wrap(new byte[] {1, 2, 3, 4, 6, 0, 2, 0, 'a', 0});

        Attributes attributes = Attributes.parse(payload, 4, 3);

        assertEquals("a", attributes.getString(2));
        assertEquals(0, attributes.leftoverBytes());
    }

    @Test
    void shouldKeepTheLastOfTwoAndSkipUnknownOnesWhenParsing() {
        byte[] message = new NetlinkWriter()
                .begin(0x20, 0, 0, 0)
                .putInt(1, 10)
                .putInt(9, 90)
                .putInt(1, 11)
                .end()
                .toBytes();

        Attributes attributes = Attributes.parse(wrap(message).position(16).slice(), 0, 3);

        assertEquals(11, attributes.getInt(1, -1));
        assertNull(attributes.get(2));
        assertEquals(-1, attributes.getInt(3, -1));
    }

    @Test
    void shouldReportWhatIsLeftWhenAnAttributeIsTooLong() {
        ByteBuffer payload = wrap(new byte[] {8, 0, 1, 0, 1, 0, 0, 0, 9, 0, 1, 0, 1, 0, 0, 0});

        assertEquals(8, Attributes.parse(payload, 0, 3).leftoverBytes());
        assertEquals(1, Attributes.parse(payload, 0, 3).getInt(1, 0));
    }

    @Test
    void shouldNameTheOffsetWhenAnAttributeIsTooShort() {
        AttributePolicy policy = AttributePolicy.builder(3).atLeast(2, 8).build();
        ByteBuffer payload = wrap(new byte[] {0, 0, 0, 0, 5, 0, 1, 0, 1, 0, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0});

        NetlinkException refused = assertThrows(NetlinkException.class, () -> Attributes.parse(payload, 4, policy));

        assertEquals(Errno.ERANGE, refused.errno());
        assertEquals(16 + 12, refused.offsetBytes());
    }

    @Test
    void shouldDemandExactLengthsOnlyFromTheStrictTypesOn() throws NetlinkException {
        AttributePolicy policy = AttributePolicy.builder(4)
                .number(1, 4)
                .number(2, 1, 1, 2)
                .flag(3)
                .strictFrom(2)
                .build();
        ByteBuffer lenient = wrap(new byte[] {12, 0, 1, 0, 5, 0, 0, 0, 6, 0, 0, 0});
        ByteBuffer strict = wrap(new byte[] {6, 0, 2, 0, 1, 1, 0, 0});
        ByteBuffer outOfRange = wrap(new byte[] {5, 0, 2, 0, 3, 0, 0, 0});

        assertEquals(5, Attributes.parse(lenient, 0, policy).getInt(1, 0));
        assertEquals(
                Errno.EINVAL,
                assertThrows(NetlinkException.class, () -> Attributes.parse(strict, 0, policy))
                        .errno());
        assertEquals(
                Errno.ERANGE,
                assertThrows(NetlinkException.class, () -> Attributes.parse(outOfRange, 0, policy))
                        .errno());
    }

    @Test
    void shouldWipeAndForgetWhenTruncated() {
        NetlinkWriter writer =
                new NetlinkWriter(32).begin(0x20, 0, 1, 1).putInt(1, -1).end();
        int size = writer.sizeBytes();
        byte[] before = writer.toBytes();

        writer.begin(0x21, 0, 2, 2).putBytes(1, new byte[] {1, 2, 3}).end();
        writer.truncate(size);

        assertArrayEquals(before, writer.toBytes());
    }

    @Test
    void shouldPadWithZerosWhenNested() {
        NetlinkWriter writer = new NetlinkWriter(16).begin(0x20, 0, 0, 0);
        int mark = writer.beginAttribute(5);
        writer.putByte(1, 1).putString(2, "ab");
        byte[] message = writer.endAttribute(mark).end().toBytes();

        assertEquals(16 + 4 + 8 + 8, message.length);
        Attributes outer = Attributes.parse(wrap(message).position(16).slice(), 0, 5);
        Attributes inner = outer.nested(5, 3);
        assertEquals(1, inner.getByte(1, 0));
        assertEquals("ab", inner.getString(2));
        assertFalse(outer.nested(4, 3).has(1));
    }
}
