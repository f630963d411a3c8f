package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.MemoryPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;

/** The frames are those of Scapy 2.5: Ether / IP(flags=DF) or IPv6 / UDP(4500, 4501) / 0xff. */
class KeepaliveOutputTest {
    private final StaticNetwork network = new StaticNetwork();
    private final MemoryPort[] wire = MemoryPort.wire();
    private final KeepaliveOutput output = new KeepaliveOutput(network, wire[0]);

    private static State state(String source, String destination) {
        return Sas.larval(Sas.spec(Mode.TUNNEL, source, destination, 0x100)
                .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4501, Address.ANY)));
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, 198.51.100.2, 0200000000fe0200000000010800"
                + "4500001d0000400040114e99c0000201c63364021194119500090000ff",
        "2001:db8::1, 2001:db8::2, 0200000000fe02000000000186dd"
                + "6000000000091140"
                + "20010db800000000000000000000000120010db8000000000000000000000002119411950009823dff"
    })
    void shouldSendWhatScapyMakes(String source, String destination, String frame) {
        assertTrue(output.send(state(source, destination)));
        assertTrue(output.send(state(source, destination)));

        List<String> sent =
                wire[1].drain().stream().map(HexFormat.of()::formatHex).toList();
        assertEquals(List.of(frame, frame), sent);
    }

    @Test
    void shouldHaveTheMarkOfTheState() {
        List<Integer> marks = new ArrayList<>();
        BusyPort port = new BusyPort() {
            @Override
            public void receive(PacketPool pool, PacketBatch into) {}

            @Override
            public void send(PacketBatch batch) {
                marks.add(batch.get(0).mark);
            }
        };
        KeepaliveOutput marking = new KeepaliveOutput(network, port);
        State unmarked = state("192.0.2.1", "198.51.100.2");
        State marked = Sas.larval(unmarked.spec().toBuilder().outputMark(new Mark(0x77, 0xf0)));

        marking.send(marked);
        marking.send(unmarked);

        assertEquals(List.of(0x70, 0), marks);
    }

    @Test
    void shouldSaySoWhenThereIsNoWay() {
        network.setGateway(null);

        assertFalse(output.send(state("192.0.2.1", "198.51.100.2")));

        assertTrue(wire[1].drain().isEmpty());
    }

    /** What could not be sent is not sent with the next one. */
    @Test
    void shouldSendOneFrameAfterAFaultOfThePort() {
        FaultyPort port = new FaultyPort(wire[0]);
        KeepaliveOutput faulty = new KeepaliveOutput(network, port);
        port.failNextSend();

        assertThrows(IllegalStateException.class, () -> faulty.send(state("192.0.2.1", "198.51.100.2")));
        faulty.send(state("192.0.2.1", "198.51.100.2"));

        assertEquals(1, wire[1].drain().size());
    }
}
