package org.xfrmbridge.netlink.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** MIGRATE_STATE on the wire, by include/uapi/linux/xfrm.h of Linux 7.2. */
class MigrateStateTest {
    private static final int MAX_ATTRIBUTE = XfrmAttribute.MAX;
    private static final StateId ID = new StateId(Address.parse("192.0.2.2"), 0x1234, IpProtocol.ESP);
    private static final Address SADDR = Address.parse("192.0.2.1");
    private static final Address NEW_DADDR = Address.parse("192.0.2.3");

    private final Bench bench = new Bench();
    private final List<byte[]> received = new ArrayList<>();
    private final NetlinkSession session = bench.session(7, received);

    @BeforeEach
    void addState() throws XfrmException {
        StateSpecBuilder spec = StateSpec.builder()
                .id(ID)
                .saddr(SADDR)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .direction(StateSpec.DIRECTION_OUT);
        byte[] key = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f10111213");
        spec.aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, key));
        bench.engine.addState(spec.build(), Origin.KERNEL);
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.JOIN, XfrmMessage.GROUP_MIGRATE, 0).toBytes()));
    }

    private NetlinkWriter request(int reserved) {
        NetlinkWriter out =
                new NetlinkWriter().begin(XfrmMessage.MIGRATE_STATE, NetlinkHeader.REQUEST | NetlinkHeader.ACK, 5, 1);
        new UserMigrateState(
                        new UsersaId(ID, AddressFamily.INET),
                        NEW_DADDR,
                        SADDR,
                        Mark.NONE,
                        Selector.any(AddressFamily.INET),
                        9,
                        0,
                        AddressFamily.INET,
                        reserved)
                .write(out.room(UserMigrateState.BYTES));
        return out;
    }

    private void send(NetlinkWriter request) {
        received.clear();
        session.receive(ByteBuffer.wrap(request.end().toBytes()));
    }

    private NetlinkReader message(int index) {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(received.get(index)));
        assertTrue(reader.next());
        return reader;
    }

    private static Attributes attributes(NetlinkReader message) {
        return Attributes.parse(message.payload(), UserMigrateState.BYTES, MAX_ATTRIBUTE);
    }

    @Test
    void shouldTellListenersTheRequestAndWhatTheStateHas() {
        NetlinkWriter request = request(0);
        request.putInt(XfrmAttribute.SET_MARK, 4);
        request.putInt(XfrmAttribute.SET_MARK_MASK, 0xf);

        send(request);

        assertEquals(2, received.size());
        NetlinkReader event = message(0);
        assertEquals(XfrmMessage.MIGRATE_STATE, event.header().type());
        assertEquals(5, event.header().sequence());
        assertEquals(1, event.header().portId());
        ByteBuffer structure = event.payload();
        assertEquals(ID.spi(), Integer.reverseBytes(structure.getInt(16)));
        assertEquals(9, structure.getInt(120));
        assertEquals(AddressFamily.INET, structure.getShort(128));
        assertEquals(4, attributes(event).getInt(XfrmAttribute.SET_MARK, 0));
        assertEquals(StateSpec.DIRECTION_OUT, attributes(event).getByte(XfrmAttribute.SA_DIR, 0));
        assertFalse(attributes(event).has(XfrmAttribute.MARK));
        assertEquals(0, message(1).payload().getInt(0));
    }

    @Test
    void shouldRefuseReservedBitsAndADirection() {
        send(request(1));
        assertEquals(-22, message(0).payload().getInt(0));

        NetlinkWriter directed = request(0);
        directed.putByte(XfrmAttribute.SA_DIR, StateSpec.DIRECTION_IN);
        send(directed);
        assertEquals(-22, message(0).payload().getInt(0));
        assertEquals(1, bench.engine.stateCounts().states());
    }
}
