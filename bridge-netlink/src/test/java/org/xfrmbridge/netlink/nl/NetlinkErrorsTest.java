package org.xfrmbridge.netlink.nl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Fault;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Options;

/**
 * The layouts of {@code netlink_ack}: what is repeated of the request and what follows depends on two socket options.
 */
class NetlinkErrorsTest {
    private static final int REQUEST_BYTES = 24;
    private final ByteBuffer request = ByteBuffer.wrap(new NetlinkWriter()
                    .begin(0x20, NetlinkHeader.REQUEST, 5, 77)
                    .putZeros(8)
                    .end()
                    .toBytes())
            .order(ByteOrder.nativeOrder());

    private NetlinkReader answer(Fault fault, Options options) {
        NetlinkWriter out = new NetlinkWriter();
        NetlinkReader asked = new NetlinkReader(request);
        asked.next();
        NetlinkErrors.write(out, asked, 42, fault, options);
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(out.toBytes()));
        reader.next();
        return reader;
    }

    @Test
    void shouldRepeatTheHeaderAloneWhenAcknowledging() {
        NetlinkReader reader = answer(Fault.NONE, Options.NONE);

        assertEquals(new NetlinkHeader(16 + 20, NetlinkHeader.ERROR, NetlinkHeader.CAPPED, 5, 42), reader.header());
        assertEquals(0, NetlinkErrors.errno(reader.payload()));
        assertEquals(0x20, NetlinkHeader.read(reader.payload(), 4).type());
    }

    @Test
    void shouldRepeatTheRequestWhenRefusingWithoutCapAck() {
        NetlinkReader reader = answer(new Fault(22, "no", 20, 0, null), Options.NONE);

        assertEquals(16 + 4 + REQUEST_BYTES, reader.header().lengthBytes());
        assertEquals(0, reader.header().flags());
        assertEquals(22, NetlinkErrors.errno(reader.payload()));
    }

    @Test
    void shouldExplainWhenTheClientWantsExtendedAcknowledgements() {
        NetlinkReader reader = answer(new Fault(34, "too short", 20, 3, null), new Options(true, true));

        assertEquals(
                NetlinkHeader.CAPPED | NetlinkHeader.ACK_TLVS, reader.header().flags());
        Attributes why = Attributes.parse(reader.payload(), NetlinkErrors.BYTES, 6);
        assertEquals("too short", why.getString(NetlinkErrors.ATTR_MESSAGE));
        assertEquals(20, why.getInt(NetlinkErrors.ATTR_OFFSET, 0));
        assertEquals(3, why.getInt(NetlinkErrors.ATTR_MISSING_TYPE, 0));
    }

    @Test
    void shouldOnlyRemarkWhenTheRequestSucceeded() {
        NetlinkReader reader = answer(new Fault(0, "a remark", 20, 3, null), new Options(false, true));

        Attributes why = Attributes.parse(reader.payload(), NetlinkErrors.BYTES, 6);
        assertEquals("a remark", why.getString(NetlinkErrors.ATTR_MESSAGE));
        assertFalse(why.has(NetlinkErrors.ATTR_OFFSET));
    }

    @Test
    void shouldCarryTheErrorWhenADumpEndsEarly() {
        NetlinkWriter out = new NetlinkWriter();
        NetlinkErrors.writeDone(out, 9, 42, new Fault(4, "no more", NetlinkException.NO_OFFSET, 0, null), Options.NONE);

        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(out.toBytes()));
        reader.next();

        assertEquals(new NetlinkHeader(20, NetlinkHeader.DONE, NetlinkHeader.MULTI, 9, 42), reader.header());
        assertEquals(4, NetlinkErrors.errno(reader.payload()));
    }
}
